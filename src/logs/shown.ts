/** Errors that an error has within itself, and looks at most at these. */
const MOST = 32

/**
 * Of the description of an error, what its logger has let through: a message or a stack that `redact`, a serializer or a format has taken
 * out of the line, or changed, is told to nobody.
 *
 * @param description As `describeException` gives it.
 * @param shows Whether the line has a text.
 */
export function shownOf(
  description: Readonly<Record<string, string>>,
  error: unknown,
  shows: (text: string) => boolean,
): Readonly<Record<string, string>> {
  const { 'exception.type': type = '', 'exception.stacktrace': _stack, ...rest } = description
  try {
    const [own = '', ...within] = messagesIn(error)
    if (!shows(own)) return { 'exception.type': type }
    if (within.every(shows) && shows(frameOf(error))) return description
    return { 'exception.type': type, ...rest }
  } catch {
    return { 'exception.type': type }
  }
}

/** Whether a line of JSON has a text. */
export function jsonShows(line: string): (text: string) => boolean {
  return (text) => line.includes(JSON.stringify(text).slice(1, -1))
}

/** The messages of an error and of those within it, which a described stack tells. */
function messagesIn(error: unknown): string[] {
  const errors: unknown[] = [error]
  for (let i = 0; i < errors.length && i < MOST; i++) {
    const { cause, errors: several } = Object(errors[i]) as { cause?: unknown; errors?: unknown }
    if (cause instanceof Error) errors.push(cause)
    if (Array.isArray(several)) errors.push(...several.slice(0, MOST).filter((one) => one instanceof Error))
  }
  return errors.map((one) => String((Object(one) as { message?: unknown }).message ?? ''))
}

/** The first frame of an error's stack; all of a stack that has none. */
function frameOf(error: unknown): string {
  const { stack } = Object(error) as { stack?: unknown }
  return typeof stack === 'string' ? (/^ {4}at .*$/m.exec(stack)?.[0] ?? stack) : ''
}
