import { nearest } from '../nearest.js'

/** A file that cannot be used: none of it holds then. */
export class ConfigFileError extends Error {
  constructor(path: string, why: string) {
    super(path === '' ? why : `${path}: ${why}`)
  }
}

/** Told of what a file says and this package does not offer: a path in it, and what holds instead. */
export type Tell = (path: string, why: string) => void

/** A mapping of the file, which is read key by key. A key without a value is one that is not there. */
export class Section {
  private readonly unread: Set<string>
  /** Keys that were asked for and are not there: what is not understood can be a misspelt one. */
  private readonly missing = new Set<string>()

  private constructor(
    private readonly fields: Readonly<Record<string, unknown>>,
    readonly path: string,
    private readonly tell: Tell,
  ) {
    this.unread = new Set(Object.keys(fields))
  }

  /** @throws ConfigFileError where it is no mapping. */
  static of(value: unknown, path: string, tell: Tell): Section {
    if (value === null || value === undefined) return new Section({}, path, tell)
    if (typeof value !== 'object' || Array.isArray(value)) throw new ConfigFileError(path, 'it is no mapping')
    return new Section(value as Record<string, unknown>, path, tell)
  }

  private at(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`
  }

  private take(key: string): unknown {
    this.unread.delete(key)
    return this.has(key) ? (this.fields[key] ?? undefined) : undefined
  }

  /** The keys that are there, with a value or without. */
  get keys(): string[] {
    return Object.keys(this.fields)
  }

  has(key: string): boolean {
    if (Object.hasOwn(this.fields, key)) return true
    this.missing.add(key)
    return false
  }

  section(key: string): Section {
    return Section.of(this.take(key), this.at(key), this.tell)
  }

  /** The members of a list. @throws ConfigFileError where it is none. */
  list(key: string): Section[] {
    const value = this.take(key) ?? []
    if (!Array.isArray(value)) throw new ConfigFileError(this.at(key), 'it is no list')
    return value.map((member, i) => Section.of(member, `${this.at(key)}[${i}]`, this.tell))
  }

  /** Any value. */
  value(key: string): unknown {
    return this.take(key)
  }

  text(key: string): string | undefined {
    const value = this.take(key)
    if (value === undefined || typeof value === 'string') return value
    const isPlain = typeof value !== 'object'
    throw new ConfigFileError(this.at(key), `it is no text${isPlain ? ', which needs quotes here' : ''}`)
  }

  integer(key: string, min = 0): string | undefined {
    const value = this.take(key)
    if (value === undefined) return undefined
    if (Number.isSafeInteger(value) && (value as number) >= min) return String(value)
    throw new ConfigFileError(this.at(key), `it is no integer from ${min}`)
  }

  /** A number from 0 to 1. */
  ratio(key: string): string | undefined {
    const value = this.take(key)
    if (value === undefined) return undefined
    if (typeof value === 'number' && value >= 0 && value <= 1) return String(value)
    throw new ConfigFileError(this.at(key), 'it is no number from 0 to 1')
  }

  boolean(key: string): string | undefined {
    const value = this.take(key)
    if (value === undefined || typeof value === 'boolean') return value === undefined ? value : String(value)
    throw new ConfigFileError(this.at(key), 'it is neither true nor false')
  }

  /** One of a set of words. */
  word(key: string, words: readonly string[]): string | undefined {
    const value = this.text(key)
    if (value === undefined || words.includes(value)) return value
    throw new ConfigFileError(this.at(key), `it is none of ${words.join(', ')}`)
  }

  /** The only key that is there. @throws ConfigFileError where there is none, or more. */
  only(): string {
    const [key, ...more] = this.keys
    if (key === undefined || more.length > 0) throw new ConfigFileError(this.path, 'it does not have one key')
    return key
  }

  /** A key that is known, and not offered. */
  refuse(key: string, why: string): void {
    if (this.take(key) !== undefined) this.tell(this.at(key), why)
  }

  /** The whole of it is known, and not offered. */
  refuseAll(why: string): void {
    this.unread.clear()
    this.tell(this.path, why)
  }

  /** All has been read: what is left is not understood. */
  end(): void {
    for (const key of this.unread) {
      const near = nearest(key, this.missing)
      const hint = near === undefined ? '' : `; did you mean ${near}?`
      this.tell(this.at(key), `it is not known, and ignored${hint}`)
    }
  }
}
