/** The settings that a server of central configuration may change while a process runs: their names, and what their values may be. */
import type { SettingName, Settings, SettingValues } from './live.js'

/** A value that cannot be used, by what it should be. */
class Unusable {
  constructor(readonly wanted: string) {}
}

type Read<T> = (value: unknown) => T | Unusable

/** One setting. */
export interface Setting<N extends SettingName = SettingName> {
  readonly name: N
  /** Other names that servers have for it. */
  readonly aliases: readonly string[]
  readonly read: Read<SettingValues[N]>
}

/** Members of a list, and characters of each. */
const MOST_MEMBERS = 100
const MOST_CHARACTERS = 512
/** Settings in one document, and bytes of all that hold together as they are handed on. */
const MOST_SETTINGS = 200
export const MOST_BYTES = 12 * 1024

const boolean: Read<boolean> = (value) => {
  const text = typeof value === 'string' ? value.trim().toLowerCase() : value
  if (text === true || text === 'true') return true
  return text === false || text === 'false' ? false : new Unusable('"true" or "false"')
}

function number(min: number, max: number, isInteger: boolean): Read<number> {
  const wanted = `${isInteger ? 'an integer' : 'a number'} from ${min} to ${max}`
  return (value) => {
    const text = typeof value === 'number' ? String(value) : value
    const isNumber = typeof text === 'string' && /^\s*-?\d{1,15}(\.\d{1,20})?(e-\d{1,3})?\s*$/i.test(text)
    const read = isNumber ? Number(text) : Number.NaN
    const isUsable = read >= min && read <= max && (!isInteger || Number.isInteger(read))
    return isUsable ? read : new Unusable(wanted)
  }
}

const LEVELS: Readonly<Record<string, SettingValues['logging_level']>> = {
  off: 'none',
  none: 'none',
  fatal: 'error',
  critical: 'error',
  error: 'error',
  warning: 'warn',
  warn: 'warn',
  info: 'info',
  debug: 'debug',
  trace: 'debug',
}

const level: Read<SettingValues['logging_level']> = (value) => {
  const text = typeof value === 'string' ? value.trim().toLowerCase() : ''
  return Object.hasOwn(LEVELS, text)
    ? LEVELS[text]!
    : new Unusable(`one of ${Object.keys(LEVELS).join(', ')}`)
}

const list: Read<readonly string[]> = (value) => {
  const wanted = new Unusable(
    `a list of at most ${MOST_MEMBERS} texts of at most ${MOST_CHARACTERS} characters, with commas between them`,
  )
  const members: unknown = typeof value === 'string' ? value.split(',') : value
  if (!Array.isArray(members)) return wanted
  const texts: string[] = []
  for (const member of members as unknown[]) {
    if (typeof member !== 'string') return wanted
    const text = member.trim()
    if (text.length > MOST_CHARACTERS || texts.length === MOST_MEMBERS) return wanted
    if (text !== '') texts.push(text)
  }
  return texts
}

/** By the names of OpenTelemetry's packages as well as by the short ones. */
const instrumentations: Read<readonly string[]> = (value) => {
  const names = list(value)
  return names instanceof Unusable
    ? names
    : names.map((name) => name.replace('@opentelemetry/instrumentation-', ''))
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** An hour at most: whoever sets more by mistake shall be able to take it back. */
const duration: Read<number> = (value) => {
  const match = typeof value === 'string' ? /^\s*(\d{1,10})(ms|s|m|h)\s*$/.exec(value) : null
  const read = match === null ? Number.NaN : Number(match[1]) * UNITS[match[2]!]!
  return read >= 100 && read <= 3_600_000 ? read : new Unusable('a time as in "30s", from 100ms to 1h')
}

const setting = <N extends SettingName>(
  name: N,
  read: Read<SettingValues[N]>,
  ...aliases: string[]
): Setting<N> => ({ name, aliases, read })

/** Those that can change while a process runs: each is applied in all of its threads, and in its descendants. */
export const SETTINGS: readonly Setting[] = [
  setting('sampling_rate', number(0, 1, false), 'transaction_sample_rate'),
  setting('recording', boolean),
  setting('send_traces', boolean),
  setting('send_metrics', boolean),
  setting('send_logs', boolean),
  setting('logging_level', level, 'log_level'),
  setting('deactivate_all_instrumentations', boolean),
  setting('deactivate_instrumentations', instrumentations, 'disable_instrumentations'),
  setting('transaction_ignore_urls', list),
  setting('transaction_name_groups', list),
  setting('stack_trace_limit', number(-1, 1000, true)),
  setting('capture_statement', boolean),
  setting('opamp_polling_interval', duration),
]

/** Those that servers know and that hold as long as a process runs: none makes it connect elsewhere. */
const FIXED: ReadonlySet<string> = new Set([
  'api_key',
  'environment',
  'secret_token',
  'server_url',
  'server_urls',
  'service_name',
])

const BY_NAME: ReadonlyMap<string, Setting> = new Map(
  SETTINGS.flatMap((one) => [one.name, ...one.aliases].map((name) => [name, one] as const)),
)

/** What a document says. */
export interface ReadSettings {
  readonly settings: Settings
  /** What cannot be used of it, in one line each. Values are never in them. */
  readonly problems: readonly string[]
}

/** A name that was sent, as it may be shown. */
const shown = (name: string): string => (/^[\w.-]{1,64}$/.test(name) ? name : '(no name)')

/**
 * Reads what a server has sent. A setting that cannot be used stays as it was; the others hold.
 *
 * @param document What `JSON.parse` gave.
 * @param last What holds until now: all of it, where it is no document at all.
 */
export function readSettings(document: unknown, last: Settings = {}): ReadSettings {
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    return { settings: last, problems: ['it is no object of names and values'] }
  const names = Object.keys(document)
  if (names.length > MOST_SETTINGS)
    return { settings: last, problems: [`it has more than ${MOST_SETTINGS} settings`] }
  const settings: Record<string, unknown> = {}
  const given = new Map<SettingName, string>()
  const problems: string[] = []
  const keep = (name: SettingName): void => {
    if (last[name] === undefined) delete settings[name]
    else settings[name] = last[name]
  }
  for (const name of names) {
    const known = BY_NAME.get(name)
    if (known === undefined) {
      const why = FIXED.has(name) ? 'cannot change while a process runs' : 'is not known'
      problems.push(`${shown(name)} ${why}`)
      continue
    }
    const value = known.read((document as Record<string, unknown>)[name])
    const other = given.get(known.name)
    given.set(known.name, name)
    if (value instanceof Unusable) {
      problems.push(`${shown(name)} is not ${value.wanted}`)
      keep(known.name)
    } else if (other === undefined) settings[known.name] = value
    else if (JSON.stringify(settings[known.name]) !== JSON.stringify(value)) {
      problems.push(`${shown(other)} and ${shown(name)} are one setting and differ`)
      keep(known.name)
    }
  }
  if (Buffer.byteLength(JSON.stringify(settings)) > MOST_BYTES)
    return { settings: last, problems: [`its settings are larger than ${MOST_BYTES} bytes together`] }
  return { settings, problems }
}
