/**
 * Environment variables by type, as OpenTelemetry's "Environment Variable Specification" reads them: an empty value
 * is an unset one, and a value that cannot be used is ignored with a warning.
 */
/** The largest integer that OpenTelemetry's specification asks for, and the longest delay that `setTimeout` takes. */
export const MAX_INTEGER = 2 ** 31 - 1
/** A value as it may be shown: one line, bounded. */
function shown(value) {
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
}
/** Reads variables and gathers the warnings about them. */
export class Variables {
  warnings = []
  #env
  constructor(env) {
    this.#env = env
  }
  /** The value without surrounding blanks; undefined when it is unset or empty. */
  text(variable) {
    const value = this.#env[variable]?.trim()
    return value === '' ? undefined : value
  }
  /** The first of `variables` that is set: the more specific ones come first. */
  firstSet(...variables) {
    return variables.find((variable) => this.text(variable) !== undefined)
  }
  warn(code, variable, message) {
    if (this.warnings.some((warning) => warning.variable === variable && warning.code === code)) return
    this.warnings.push({ code, variable, message: `${variable}: ${message}` })
  }
  invalid(variable, message) {
    this.warn('THREADSPAN_ENV_INVALID', variable, message)
  }
  /** True only for "true", in any case; other values than "false" are warned of. */
  boolean(variable) {
    const value = this.text(variable)
    const lower = value?.toLowerCase()
    if (value !== undefined && lower !== 'true' && lower !== 'false') {
      this.invalid(variable, `${shown(value)} is neither "true" nor "false"; taken as "false"`)
    }
    return lower === 'true'
  }
  /** An integer of `min` to `max`; undefined when it is unset or invalid. `otherwise` tells what then holds. */
  integer(variable, otherwise, min = 0, max = MAX_INTEGER) {
    const value = this.text(variable)
    if (value === undefined) return undefined
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
    if (number >= min && number <= max) return number
    this.invalid(variable, `${shown(value)} is no integer from ${min} to ${max}; ${otherwise} is used`)
    return undefined
  }
  /** A timeout in milliseconds. 0 means no limit, which is `MAX_INTEGER` (24.8 days). */
  timeout(variable, otherwise) {
    const value = this.integer(variable, otherwise)
    return value === 0 ? MAX_INTEGER : value
  }
  /**
   * One of a set of words, in any case; undefined when it is unset or not among them.
   * @param unsupported Words that are known and not offered: they get a warning of their own.
   */
  word(variable, words, otherwise, unsupported = []) {
    const value = this.text(variable)
    return value === undefined ? undefined : this.#known(variable, value, words, otherwise, unsupported)
  }
  /**
   * A comma-separated list of words, each once; undefined when it is unset or none of them is known. "none" stands
   * for the empty list, alone only.
   */
  words(variable, words, otherwise, unsupported = []) {
    const value = this.text(variable)
    if (value === undefined) return undefined
    const list = new Set()
    for (const item of value.split(',')) {
      if (item.trim() === '') continue
      const word = this.#known(variable, item.trim(), [...words, 'none'], otherwise, unsupported)
      if (word !== undefined) list.add(word)
    }
    if (list.size > 1 && list.delete('none')) {
      this.invalid(variable, '"none" stands for an empty list and is ignored beside other values')
    }
    if (list.has('none')) return []
    return list.size === 0 ? undefined : [...list]
  }
  #known(variable, value, words, otherwise, unsupported) {
    const lower = value.toLowerCase()
    const word = words.find((known) => known === lower)
    if (word !== undefined) return word
    if (unsupported.includes(lower)) {
      this.warn('THREADSPAN_ENV_UNSUPPORTED', variable, `"${lower}" is not supported; ${otherwise}`)
    } else {
      this.invalid(variable, `${shown(value)} is none of ${words.join(', ')}; ${otherwise}`)
    }
    return undefined
  }
}
