import { isAbsolute } from 'node:path'
import type { OwnPreload } from './own-preload.js'

interface Token {
  readonly value: string
  readonly start: number
  readonly end: number
}

/** An option that loads a module before the program: its name, and its value where that is joined on with `=`. */
export const PRELOAD_OPTION = /^(-r|--require|--import)(?:=(.*))?$/s

/**
 * Splits `NODE_OPTIONS` as Node does: at spaces; `"` opens and closes a string, inside which `\` takes the next character as it is.
 *
 * @returns the arguments with their places in the text; undefined where Node refuses the text.
 */
function tokenize(text: string): Token[] | undefined {
  const tokens: Token[] = []
  let quoted = false
  let value: string | undefined
  let start = 0
  for (let index = 0; index <= text.length; index++) {
    let character = text[index]
    if (character === undefined || (character === ' ' && !quoted)) {
      if (value !== undefined) tokens.push({ value, start, end: index })
      value = undefined
      continue
    }
    if (value === undefined) {
      value = ''
      start = index
    }
    if (character === '"') {
      quoted = !quoted
      continue
    }
    if (character === '\\' && quoted) character = text[++index]
    if (character === undefined) return undefined
    value += character
  }
  return quoted ? undefined : tokens
}

/** `argument` as one word of `NODE_OPTIONS`, whatever spaces, quotes and backslashes are in it. */
function quote(argument: string): string {
  return `"${argument.replace(/["\\]/g, '\\$&')}"`
}

/**
 * `NODE_OPTIONS` for a thread or process that may have another working directory: every relative name of the preload in it is
 * made absolute.
 *
 * @returns the same text where there is nothing to do, or where Node would refuse it.
 */
export function absoluteNodeOptions(text: string, own: OwnPreload): string {
  if (own.relative.size === 0) return text
  const tokens = tokenize(text) ?? []
  let result = ''
  let copied = 0
  for (let index = 0; index < tokens.length; index++) {
    const { start, value: option } = tokens[index]!
    const match = PRELOAD_OPTION.exec(option)
    if (match === null) continue
    const value = match[2] ?? tokens[++index]?.value
    if (value === undefined || !own.relative.has(value)) continue
    result += `${text.slice(copied, start)}${match[1]} ${quote(own.valueFor(match[1]!))}`
    copied = tokens[index]!.end
  }
  return result + text.slice(copied)
}

/**
 * `NODE_OPTIONS` with the preload, after what the user has there: a preload of the user's comes first.
 *
 * @param text undefined where the variable is not set.
 * @returns the same text where Node would refuse it, so that the program fails as it would have.
 */
export function nodeOptionsWith(text: string | undefined, own: OwnPreload): string {
  const option = `--require ${quote(own.path)}`
  if (text === undefined || text === '') return option
  if (tokenize(text) === undefined) return text
  const absolute = absoluteNodeOptions(text, own)
  return absolute.includes(option) ? absolute : `${absolute} ${option}`
}

/** The arguments of a text, `--require=x` as two. */
function argumentsIn(text: string): string[] {
  return (tokenize(text) ?? []).flatMap(({ value }) => {
    const match = PRELOAD_OPTION.exec(value)
    return match?.[2] === undefined ? [value] : [match[1]!, match[2]]
  })
}

/**
 * Whether `added` is what {@link nodeOptionsWith} can have made of `before`, in a process with whatever working directory and copy of this
 * package: the same arguments, of which relative names of the preload are absolute, and the preload behind them.
 */
export function isNodeOptionsWith(added: string, before: string, own: OwnPreload): boolean {
  const isPreload = (path: string | undefined): boolean =>
    path === own.path || /[\\/]register\.cjs$/.test(path ?? '')
  const [now, then] = [argumentsIn(added), argumentsIn(before)]
  const rest = now.slice(then.length)
  return (
    then.every((argument, i) => now[i] === argument || (!isAbsolute(argument) && isPreload(now[i]))) &&
    (rest.length === 0 || (rest.length === 2 && rest[0] === '--require' && isPreload(rest[1])))
  )
}
