/** Put in the place of a secret, as OpenTelemetry's semantic conventions for URLs have it. */
const REDACTED = 'REDACTED'

/** User name and password in a URL, such as a connection string: `postgres://user:pass@host/db`. */
const CREDENTIALS = /\b([a-z][a-z\d+.-]{0,30}:\/\/)[^\s/?#'"<>]{1,500}@/gi

/** `Password=x;`, `pwd: x`, `token=x` and their kind, in connection strings and query strings. */
const PAIRS =
  /\b((?:[a-z]{1,20}[_-]?)?(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|account[_-]?key|signature)["']?\s{0,3}[=:]\s{0,3}["']?)[^\s;&,'"}\])]{1,500}/gi

/** `Authorization: Bearer x` and its kind. */
const SCHEMES = /\b((?:bearer|basic)\s{1,3})[\w.~+/=-]{8,2000}/gi

/** Whether a text can hold one of these; most messages do not. */
const SUSPICIOUS = /:\/\/|pass|pwd|secret|token|key|signature|bearer|basic/i

/** A text, such as the message of an error, without the credentials of connection strings, URLs and headers in it. */
export function redactText(text: string): string {
  if (!SUSPICIOUS.test(text)) return text
  return text
    .replace(CREDENTIALS, `$1${REDACTED}:${REDACTED}@`)
    .replace(PAIRS, `$1${REDACTED}`)
    .replace(SCHEMES, `$1${REDACTED}`)
}
