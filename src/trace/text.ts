/** Text from outside, made fit for a terminal. */

// C0, DEL, C1, line and paragraph separators, direction marks and overrides, zero-width and tag characters, lone
// surrogates: all that can move the cursor, hide text or reorder it.
const HARMFUL =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Cs}/gu

/** The text in one line, with blanks for line breaks and tabs, and U+FFFD for all else that is not to be shown. */
export function printable(text: string): string {
  return text.replace(HARMFUL, (character) => (/[\t\n\r]/.test(character) ? ' ' : '\ufffd'))
}

const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|^\p{Emoji_Presentation}/u
let segmenter: Intl.Segmenter | undefined

/** Made when there is text that is not ASCII: that takes longer than most texts. */
function graphemes(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  return segmenter.segment(text)
}

/** Columns of one grapheme: East Asian wide ones and emoji take two, marks that stand alone none. */
function graphemeWidth(grapheme: string): number {
  if (WIDE.test(grapheme)) return 2
  return /^\p{M}/u.test(grapheme) ? 0 : 1
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the plain case needs no segmenter
const ASCII = /^[\x00-\x7f]*$/

/** How many columns a terminal needs for the text, which must be `printable`. */
export function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes(text)) width += graphemeWidth(segment)
  return width
}

/** The text in exactly `width` columns: filled with blanks, or cut with an ellipsis. */
export function fit(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  // Names from outside can be megabytes; what lies beyond the columns need not be measured.
  const bounded = text.length > width * 16 ? text.slice(0, width * 16) : text
  const full = displayWidth(bounded)
  if (full <= width && bounded === text) {
    const blanks = ' '.repeat(width - full)
    return align === 'left' ? text + blanks : blanks + text
  }
  let cut = ''
  let used = 0
  for (const { segment } of graphemes(bounded)) {
    const next = graphemeWidth(segment)
    if (used + next > width - 1) break
    cut += segment
    used += next
  }
  return width < 1 ? '' : `${cut}…${' '.repeat(width - 1 - used)}`
}

/** A duration in milliseconds with three digits and its unit: "87 ns", "1.25 ms", "12.3 s", "2 m 05 s". */
export function duration(milliseconds: number): string {
  if (!(milliseconds > 0)) return '0 ms'
  // Rounded to a full unit, a value is shown in the next one: 1 ms, not 1000 µs.
  if (milliseconds < 0.0009995) return `${Math.round(milliseconds * 1e6)} ns`
  if (milliseconds < 0.9995) return `${digits(milliseconds * 1e3)} µs`
  if (milliseconds < 999.5) return `${digits(milliseconds)} ms`
  if (milliseconds < 59_950) return `${digits(milliseconds / 1e3)} s`
  const seconds = Math.round(milliseconds / 1e3)
  const pad = (value: number): string => String(value).padStart(2, '0')
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${pad(seconds % 60)} s`
  const hours = Math.floor(seconds / 3600)
  if (hours < 100) return `${hours} h ${pad(Math.floor((seconds % 3600) / 60))} m`
  return `${Math.floor(hours / 24)} d`
}

/** Three significant digits, without trailing zeros. */
function digits(value: number): string {
  return String(Number(value.toPrecision(3)))
}
