/**
 * Environment variables by type, as OpenTelemetry's "Environment Variable Specification" reads them: an empty value
 * is an unset one, and a value that cannot be used is ignored with a warning.
 */
import type { LineCode } from '../core/codes.js'

/** An environment, e.g. `process.env`. It is only read. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What is wrong with a variable. The message says what then holds. */
export type ConfigWarningCode = Extract<LineCode, `THREADSPAN_ENV_${string}`>

/** One for each variable that is not taken as it stands. */
export interface ConfigWarning {
  readonly code: ConfigWarningCode
  readonly variable: string
  /** One line. Values of headers, URLs and attributes are never in it: they can be secrets. */
  readonly message: string
}

/** The largest integer that OpenTelemetry's specification asks for, and the longest delay that `setTimeout` takes. */
export const MAX_INTEGER = 2 ** 31 - 1

/** A value as it may be shown: one line, bounded. */
function shown(value: string): string {
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
}

/** Reads variables and gathers the warnings about them. */
export class Variables {
  readonly warnings: ConfigWarning[] = []
  readonly #env: Environment

  constructor(env: Environment) {
    this.#env = env
  }

  /** The value without surrounding blanks; undefined when it is unset or empty. */
  text(variable: string): string | undefined {
    const value = this.#env[variable]?.trim()
    return value === '' ? undefined : value
  }

  /** The first of `variables` that is set: the more specific ones come first. */
  firstSet(...variables: readonly string[]): string | undefined {
    return variables.find((variable) => this.text(variable) !== undefined)
  }

  warn(code: ConfigWarningCode, variable: string, message: string): void {
    if (this.warnings.some((warning) => warning.variable === variable && warning.code === code)) return
    this.warnings.push({ code, variable, message: `${variable}: ${message}` })
  }

  invalid(variable: string, message: string): void {
    this.warn('THREADSPAN_ENV_INVALID', variable, message)
  }

  /** True only for "true", in any case; other values than "false" are warned of. */
  boolean(variable: string): boolean {
    const value = this.text(variable)
    const lower = value?.toLowerCase()
    if (value !== undefined && lower !== 'true' && lower !== 'false') {
      this.invalid(variable, `${shown(value)} is neither "true" nor "false"; taken as "false"`)
    }
    return lower === 'true'
  }

  /** An integer of `min` to `max`; undefined when it is unset or invalid. `otherwise` tells what then holds. */
  integer(variable: string, otherwise: number | string, min = 0, max = MAX_INTEGER): number | undefined {
    const value = this.text(variable)
    if (value === undefined) return undefined
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
    if (number >= min && number <= max) return number
    this.invalid(variable, `${shown(value)} is no integer from ${min} to ${max}; ${otherwise} is used`)
    return undefined
  }

  /** A timeout in milliseconds. 0 means no limit, which is `MAX_INTEGER` (24.8 days). */
  timeout(variable: string, otherwise: number | string): number | undefined {
    const value = this.integer(variable, otherwise)
    return value === 0 ? MAX_INTEGER : value
  }

  /**
   * One of a set of words, in any case; undefined when it is unset or not among them.
   * @param unsupported Words that are known and not offered: they get a warning of their own.
   */
  word<Word extends string>(
    variable: string,
    words: readonly Word[],
    otherwise: string,
    unsupported: readonly string[] = [],
  ): Word | undefined {
    const value = this.text(variable)
    return value === undefined ? undefined : this.#known(variable, value, words, otherwise, unsupported)
  }

  /**
   * A comma-separated list of words, each once; undefined when it is unset or none of them is known. "none" stands
   * for the empty list, alone only.
   */
  words<Word extends string>(
    variable: string,
    words: readonly Word[],
    otherwise: string,
    unsupported: readonly string[] = [],
  ): Word[] | undefined {
    const value = this.text(variable)
    if (value === undefined) return undefined
    const list = new Set<Word | 'none'>()
    for (const item of value.split(',')) {
      if (item.trim() === '') continue
      const word = this.#known(variable, item.trim(), [...words, 'none' as const], otherwise, unsupported)
      if (word !== undefined) list.add(word)
    }
    if (list.size > 1 && list.delete('none')) {
      this.invalid(variable, '"none" stands for an empty list and is ignored beside other values')
    }
    if (list.has('none')) return []
    return list.size === 0 ? undefined : ([...list] as Word[])
  }

  #known<Word extends string>(
    variable: string,
    value: string,
    words: readonly Word[],
    otherwise: string,
    unsupported: readonly string[],
  ): Word | undefined {
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
