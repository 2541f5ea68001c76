/** Put in the place of a secret, as the semantic conventions for `url.query` and `url.full` have it. */
const REDACTED = 'REDACTED'

/**
 * Names of query parameters whose values are secrets: those that the semantic conventions list (`AWSAccessKeyId`, `Signature`,
 * `sig`, `X-Goog-Signature`); what sign-in protocols send (OAuth 2's `code` and `state`, RFC 6749; `client_assertion`, RFC 7521; SAML;
 * CAS's `ticket`); and what applications call passwords, one-time codes, tokens, keys and numbers of cards and persons.
 */
const SECRET_NAME =
  /^(?:sig|pwd|pw|jwt|auth|sid|awsaccesskeyid|code|state|nonce|otp|totp|pin|cvv|cvc|csc|key|ssn|samlrequest|samlresponse|relaystate|ticket|hmac|hash|bearer|mac|card|pan|iban)$|pass(?:word|wd|phrase|code)|secret|token|signature|credential|session|authorization|assertion|csrf|xsrf|cookie|(?:api|access|private|auth|encryption)[-_.]?key|(?:auth|verification|reset|invite|access)[-_.]?code|card[-_.]?number/i

/**
 * A URL's query without the secrets in it: the values of parameters with a telling name are replaced by `REDACTED`, all else,
 * also the order and the encoding, stays as it is.
 *
 * @param query without the `?`.
 */
export function redactQuery(query: string): string {
  let changed = false
  const parts = query.split('&')
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    const equals = part.indexOf('=')
    if (equals === -1 || !SECRET_NAME.test(decodeName(part.slice(0, equals)))) continue
    parts[i] = `${part.slice(0, equals + 1)}${REDACTED}`
    changed = true
  }
  return changed ? parts.join('&') : query
}

/**
 * An absolute URL, or a path with a query, without the secrets in it: user name and password become `REDACTED:REDACTED`, and
 * the query is that of {@link redactQuery}. The fragment is not sent to servers and is left out.
 */
export function redactUrl(url: string): string {
  const hash = url.indexOf('#')
  const sent = hash === -1 ? url : url.slice(0, hash)
  const mark = sent.indexOf('?')
  const base = redactCredentials(mark === -1 ? sent : sent.slice(0, mark))
  return mark === -1 ? base : `${base}?${redactQuery(sent.slice(mark + 1))}`
}

function redactCredentials(base: string): string {
  const scheme = base.indexOf('://')
  if (scheme === -1) return base
  const start = scheme + 3
  const slash = base.indexOf('/', start)
  const authority = slash === -1 ? base.slice(start) : base.slice(start, slash)
  // The last `@`: one in a password that is not percent-encoded must not give the rest of it away.
  const at = authority.lastIndexOf('@')
  if (at === -1) return base
  return `${base.slice(0, start)}${REDACTED}:${REDACTED}@${base.slice(start + at + 1)}`
}

function decodeName(name: string): string {
  if (!name.includes('%')) return name
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
