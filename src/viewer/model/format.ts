/** A duration for people: three digits and the unit that suits it, `850 µs`, `12.4 ms`, `3.20 s`, `2 min 5 s`. */
export function duration(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return '–'
  const size = Math.abs(milliseconds)
  if (size === 0) return '0'
  // Bounds lie where rounding to three digits would show the next unit.
  if (size < 0.0009995) return `${digits(milliseconds * 1e6)} ns`
  if (size < 0.9995) return `${digits(milliseconds * 1e3)} µs`
  if (size < 999.5) return `${digits(milliseconds)} ms`
  if (size < 59_950) return `${digits(milliseconds / 1e3)} s`
  const seconds = Math.round(size / 1e3)
  const sign = milliseconds < 0 ? '-' : ''
  if (seconds < 3600) return `${sign}${parts(seconds, 60, 'min', 's')}`
  return `${sign}${parts(Math.round(seconds / 60), 60, 'h', 'min')}`
}

/** How far something is from a beginning: `+12.4 ms`, and before it `−5.00 ms`. */
export function offset(milliseconds: number): string {
  return milliseconds < 0 ? `−${duration(-milliseconds)}` : `+${duration(milliseconds)}`
}

/** A mark on an axis whose marks lie `step` apart, both in milliseconds: as exact as that asks for, `50 ms`, `1.25 s`. */
export function mark(milliseconds: number, step: number): string {
  const size = Math.abs(milliseconds)
  if (size < step * 1e-6) return '0'
  if (size >= 60_000 && step >= 1000) return duration(milliseconds)
  const [unit, name] = MARK_UNITS.find(([least]) => size >= least * 0.999_999) ?? MARK_UNITS.at(-1)!
  const places = Math.min(9, Math.max(0, Math.ceil(-Math.log10(step / unit) - 1e-9)))
  return `${(milliseconds / unit).toFixed(places)} ${name}`
}

const MARK_UNITS: readonly (readonly [number, string])[] = [
  [1e3, 's'],
  [1, 'ms'],
  [1e-3, 'µs'],
  [1e-6, 'ns'],
]

function parts(value: number, base: number, large: string, small: string): string {
  const rest = value % base
  return rest === 0 ? `${value / base} ${large}` : `${Math.floor(value / base)} ${large} ${rest} ${small}`
}

function digits(value: number): string {
  const size = Math.abs(value)
  return size < 9.995 ? value.toFixed(2) : size < 99.95 ? value.toFixed(1) : value.toFixed(0)
}

/** A count for people: `950`, `12,400`, and from a million on `1.25 M`. */
export function count(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (Math.abs(value) >= 999.5e12) return value.toExponential(2).replace('e+', ' × 10^')
  if (Math.abs(value) >= 999.5e9) return `${digits(value / 1e12)} T`
  if (Math.abs(value) >= 999_500_000) return `${digits(value / 1e9)} G`
  if (Math.abs(value) >= 999_500) return `${digits(value / 1e6)} M`
  return value.toLocaleString('en-US', { maximumFractionDigits: value % 1 === 0 ? 0 : 2 })
}

/** A share of 0 to 1 as per cent: `0 %`, `0.4 %`, `12 %`; what is there is never shown as nothing, `< 0.1 %`. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return '–'
  const value = share * 100
  if (value > 0 && value < 0.05) return '< 0.1 %'
  return value === 0 || Math.abs(value) >= 9.95 ? `${value.toFixed(0)} %` : `${value.toFixed(1)} %`
}

/** A number of bytes: `512 B`, `1.50 KB`, `12.0 MB` (powers of 1,000). */
export function bytes(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size < 999.5) return `${Math.round(value)} B`
  if (size < 999_500) return `${digits(value / 1e3)} KB`
  if (size < 999_500_000) return `${digits(value / 1e6)} MB`
  if (size < 999.5e9) return `${digits(value / 1e9)} GB`
  return `${digits(value / 1e12)} TB`
}

/** A noun with its count: `1 span`, `2 spans`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

/**
 * Instants for an axis over a window, milliseconds: round steps of 1, 2 or 5 times a power of ten, no more than `most`.
 */
export function ticks(from: number, to: number, most: number): number[] {
  const span = to - from
  if (!(span > 0) || !(most >= 1) || !Number.isFinite(span)) return []
  const rough = span / most
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough * 0.999_999) ?? rough
  const first = Math.ceil(from / step - 1e-9) + 0
  const out: number[] = []
  for (let i = first; i * step <= to + step * 1e-9 && out.length <= most; i++) out.push(i * step)
  return out
}
