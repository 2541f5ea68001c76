import type { SpanContext } from '@opentelemetry/api'
import { subscribe } from '../../hooks/channels.js'
import type { LineKeys } from '../../logs/line.js'
import { severityOfName, severityOfNumber } from '../../logs/severity.js'
import type { ActiveIds, LoggerScope, LogTarget } from '../../logs/target.js'
import type { LoggerBridge } from './contract.js'

/** What the channel tells of a line: the same object at its start and its end. */
interface Message {
  readonly instance: Instance
  /** The merging object, the message, the level's number, the time. */
  readonly arguments: ArrayLike<unknown>
  /** The line, at the end. */
  readonly result?: unknown
}

type Instance = { [symbol: symbol]: unknown } & {
  readonly version?: unknown
  readonly levels?: { readonly labels?: Readonly<Record<number, string>> }
}

/** The symbols under which pino keeps what a line is made of; each copy of pino has its own. */
interface Symbols {
  readonly bindings: symbol
  readonly message: symbol | undefined
  readonly error: symbol | undefined
  readonly nested: symbol | undefined
  readonly formatters: symbol | undefined
  readonly hooks: symbol | undefined
}

/** What an application may have a line's object be made by. */
interface Formatters {
  readonly log?: ((object: unknown) => unknown) | undefined
}

/** The library says so of each line: https://github.com/pinojs/pino/blob/main/docs/diagnostics.md */
const CHANNEL = 'tracing:pino_asJson'

/**
 * pino tells of each line before it is made and after. Before, the ids are put behind the logger's own bindings, which are text already, and
 * taken out again afterwards: neither the logger's options nor the objects that are logged are touched. Where the application makes the object
 * of a line anew (`formatters.log`), that may have the ids already, which is known only then: they are put in front of its fields.
 */
export const pino: LoggerBridge = {
  name: 'pino',
  versions: '10',
  enable(target) {
    const lines = new Lines(target)
    return subscribe({
      [`${CHANNEL}:start`]: (message: Message) => lines.begin(message),
      [`${CHANNEL}:end`]: (message: Message) => lines.end(message),
    })
  },
}

/** A line that is being made. */
interface Started {
  readonly message: Message
  readonly ids: ActiveIds | undefined
  readonly symbols: Symbols | undefined
  /** Takes the ids out of the logger again. */
  undo: (() => void) | undefined
}

/** Lines of one level, by a logger with these keys. */
interface Form {
  readonly keys: LineKeys
  readonly severity: number
}

/** Copies of pino, and ways to set it up, that are kept in mind. */
const MOST = 100

class Lines {
  /** Lines that are being made: a serializer may log as well. */
  private readonly started: Started[] = []
  /** Of each copy of pino. */
  private readonly known: Symbols[] = []
  private readonly forms = new Map<number, Form[]>()
  private scope: LoggerScope = { name: 'pino' }
  /** Of the last line: many are logged in one span. */
  private last: { readonly span: SpanContext; readonly fields: Fields } | undefined

  constructor(private readonly target: LogTarget) {}

  begin(message: Message): void {
    const { instance } = message
    const ids = this.target.active()
    const symbols = this.symbolsOf(instance)
    const line: Started = { message, ids, symbols, undo: undefined }
    this.started.push(line)
    // A frozen logger stays as it is.
    if (ids === undefined || symbols === undefined || !this.target.addsFields || Object.isFrozen(instance))
      return
    line.undo = this.add(this.fieldsOf(ids), instance, symbols, message.arguments[0])
  }

  /** @returns what takes them out again. */
  private add(
    fields: Fields,
    instance: Instance,
    { bindings, nested, formatters }: Symbols,
    merged: unknown,
  ): (() => void) | undefined {
    const before = instance[bindings] as string
    const isNested = nested !== undefined && Boolean(instance[nested])
    const made = formatters === undefined ? undefined : (instance[formatters] as Formatters | undefined)
    const log = made?.log
    if (typeof log === 'function' && !isNested) {
      instance[formatters!] = {
        ...made,
        log: (object: unknown) => {
          const own = log.call(made, object)
          return { ...this.missing(fields, before, own), ...Object(own) }
        },
      }
      return () => {
        instance[formatters!] = made
      }
    }
    const added = this.missingText(fields, before, isNested ? undefined : merged)
    if (added === '') return undefined
    instance[bindings] = before + added
    return () => {
      const now = instance[bindings] as string
      // A serializer may have set others.
      if (now.startsWith(before + added))
        instance[bindings] = before + now.slice(before.length + added.length)
    }
  }

  end(message: Message): void {
    const line = this.started.pop()
    // The channel tells of ends in the order in which lines have begun; where that is not so, others have published on it.
    if (line?.message !== message) {
      this.started.length = 0
      return
    }
    const { symbols, ids } = line
    line.undo?.()
    const { result } = message
    if (typeof result === 'string' && this.target.takesRecords)
      this.hand(message, written(result, message.instance, symbols), ids, symbols)
  }

  private hand(
    message: Message,
    line: string,
    ids: ActiveIds | undefined,
    symbols: Symbols | undefined,
  ): void {
    const { instance } = message
    const { keys, severity } = this.formOf(Number(message.arguments[2]), instance, symbols)
    const { version } = instance
    if (version !== this.scope.version && typeof version === 'string') this.scope = { name: 'pino', version }
    const error = errorIn(message.arguments[0], keys.error)
    this.target.line(this.scope, { severity, keys, line, error }, ids)
  }

  /** The ids as pino would write them. */
  private fieldsOf(ids: ActiveIds): Fields {
    const { span } = ids
    if (this.last?.span.spanId !== span.spanId || this.last.span.traceId !== span.traceId) {
      const entries = this.target.fieldsOf(ids)
      const texts = entries.map(([name, value]) => `,"${name}":"${value}"`)
      this.last = { span, fields: { entries, texts, all: texts.join('') } }
    }
    return this.last.fields
  }

  /** Of these, what the application has not set itself. */
  private missingText({ entries, texts, all }: Fields, bindings: string, merged: unknown): string {
    const has = ([name]: Fields['entries'][number]): boolean => isSet(name, bindings, merged)
    if (!entries.some(has)) return all
    return texts.filter((_, i) => !has(entries[i]!)).join('')
  }

  private missing({ entries }: Fields, bindings: string, merged: unknown): Record<string, string> {
    return Object.fromEntries(entries.filter(([name]) => !isSet(name, bindings, merged)))
  }

  private formOf(level: number, instance: Instance, symbols: Symbols | undefined): Form {
    const message = keyOf(instance, symbols?.message, 'msg')
    const error = keyOf(instance, symbols?.error, 'err')
    const nested = keyOf(instance, symbols?.nested, '')
    const label = instance.levels?.labels?.[level]
    const name = typeof label === 'string' ? label : ''
    const forms = this.forms.get(level) ?? []
    let form = forms.find(
      ({ keys }) =>
        keys.message === message && keys.error === error && keys.nested === nested && keys.level === name,
    )
    if (form === undefined) {
      form = {
        keys: { level: name, message, error, nested },
        severity: severityOfName(name) || severityOfNumber(level),
      }
      if (this.forms.size < MOST && forms.length < MOST) this.forms.set(level, [...forms, form])
    }
    return form
  }

  /** Those of the copy of pino that has made a logger. */
  private symbolsOf(instance: Instance): Symbols | undefined {
    return (
      this.known.find(({ bindings }) => typeof instance[bindings] === 'string') ?? this.discover(instance)
    )
  }

  private discover(instance: Instance): Symbols | undefined {
    const found = new Map<string | undefined, symbol>()
    for (let object: object | null = instance; object !== null; object = Object.getPrototypeOf(object)) {
      for (const symbol of Object.getOwnPropertySymbols(object)) found.set(symbol.description, symbol)
    }
    const bindings = found.get('pino.chindings')
    if (bindings === undefined || typeof instance[bindings] !== 'string') return undefined
    const symbols = {
      bindings,
      message: found.get('pino.messageKey'),
      error: found.get('pino.errorKey'),
      nested: found.get('pino.nestedKey'),
      formatters: found.get('pino.formatters'),
      hooks: found.get('pino.hooks'),
    }
    if (this.known.length < MOST) this.known.push(symbols)
    return symbols
  }
}

/** The ids of a span. */
interface Fields {
  readonly entries: readonly (readonly [name: string, value: string])[]
  /** Each as it stands in a line. */
  readonly texts: readonly string[]
  readonly all: string
}

function keyOf(instance: Instance, symbol: symbol | undefined, otherwise: string): string {
  const value = symbol === undefined ? undefined : instance[symbol]
  return typeof value === 'string' ? value : otherwise
}

/** Whether the application has a field of that name in its line. */
function isSet(name: string, bindings: string, merged: unknown): boolean {
  if (bindings.includes(`"${name}":`)) return true
  return typeof merged === 'object' && merged !== null && Object.hasOwn(merged, name)
}

/** The line as it is written: `hooks.streamWrite` may take something out of it, and is asked once more. */
function written(line: string, instance: Instance, symbols: Symbols | undefined): string {
  const hooks = symbols?.hooks === undefined ? undefined : instance[symbols.hooks]
  const write = (hooks as { streamWrite?: unknown } | undefined)?.streamWrite
  return typeof write === 'function' ? String(write(line)) : line
}

/** The error of a line: pino puts it under its key. */
function errorIn(merged: unknown, key: string): unknown {
  if (merged instanceof Error) return merged
  if (typeof merged !== 'object' || merged === null || !(key in merged)) return undefined
  // A getter is not asked a second time.
  const error: unknown = Object.getOwnPropertyDescriptor(merged, key)?.value
  return error instanceof Error ? error : undefined
}
