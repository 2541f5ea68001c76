/** OpenTelemetry's data model, "Severity Fields": numbers 1 to 24, in six ranges of four. */
const RANGES: Readonly<Record<string, number>> = {
  trace: 1,
  silly: 1,
  debug: 5,
  verbose: 5,
  info: 9,
  http: 9,
  notice: 10,
  log: 9,
  warn: 13,
  warning: 13,
  error: 17,
  err: 17,
  crit: 18,
  critical: 18,
  alert: 19,
  fatal: 21,
  emerg: 21,
  emergency: 21,
}

/** Of a level's name, as loggers have them (npm's and syslog's among them); 0 of others. */
export function severityOfName(level: string): number {
  const name = level.toLowerCase()
  return Object.hasOwn(RANGES, name) ? RANGES[name]! : 0
}

/** Of a level's number, as pino and bunyan have them: 10 is trace, 60 is fatal, and others lie between. */
export function severityOfNumber(level: number): number {
  if (!(level > 0)) return 0
  const range = Math.min(5, Math.max(0, Math.floor(level / 10) - 1))
  const within = level >= 60 || level < 10 ? 0 : Math.floor(((level % 10) / 10) * 4)
  return 1 + 4 * range + within
}

/** From here on a record tells of an error. */
export const ERROR = 17
