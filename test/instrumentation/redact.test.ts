import assert from 'node:assert/strict'
import { test } from 'node:test'

import { redactQuery, redactUrl } from '#dist/instrumentation/redact.js'

const queries: [string, string][] = [
  ['', ''],
  ['q=OpenTelemetry&page=2', 'q=OpenTelemetry&page=2'],
  ['q=a&sig=39Up9jzHkxhuIhFE9594DJxe7w6cIRCg0V6ICGS0%3A377', 'q=a&sig=REDACTED'],
  ['AWSAccessKeyId=A&Signature=B&Expires=1', 'AWSAccessKeyId=REDACTED&Signature=REDACTED&Expires=1'],
  ['X-Goog-Signature=x', 'X-Goog-Signature=REDACTED'],
  ['X-Amz-Security-Token=x&X-Amz-Credential=y', 'X-Amz-Security-Token=REDACTED&X-Amz-Credential=REDACTED'],
  ['password=a=b&access_token=c', 'password=REDACTED&access_token=REDACTED'],
  ['user[password]=x', 'user[password]=REDACTED'],
  ['pass%77ord=x', 'pass%77ord=REDACTED'],
  ['api_key=1&apikey=2&private-key=3', 'api_key=REDACTED&apikey=REDACTED&private-key=REDACTED'],
  ['design=1&assign=2&keyboard=3&signature', 'design=1&assign=2&keyboard=3&signature'],
  [
    'code=1&state=2&otp=3&pin=4&cvv=5&key=6&ssn=7&SAMLResponse=8',
    'code=REDACTED&state=REDACTED&otp=REDACTED&pin=REDACTED&cvv=REDACTED&key=REDACTED&ssn=REDACTED&SAMLResponse=REDACTED',
  ],
  [
    'client_assertion=1&ticket=2&hmac=3&bearer=4&pw=5&zip=6',
    'client_assertion=REDACTED&ticket=REDACTED&hmac=REDACTED&bearer=REDACTED&pw=REDACTED&zip=6',
  ],
  ['%E0%A4%A=1&token=2', '%E0%A4%A=1&token=REDACTED'],
]

test('secrets in a query are replaced, everything else stays as it is', () => {
  for (const [query, redacted] of queries) assert.equal(redactQuery(query), redacted)
})

const urls: [string, string][] = [
  ['https://example.com/a', 'https://example.com/a'],
  ['https://user:pass@example.com:81/a?b=c', 'https://REDACTED:REDACTED@example.com:81/a?b=c'],
  ['https://user:p@ss@example.com', 'https://REDACTED:REDACTED@example.com'],
  ['http://user@example.com/', 'http://REDACTED:REDACTED@example.com/'],
  ['http://example.com/@user', 'http://example.com/@user'],
  ['http://example.com/a?token=1#access_token=2', 'http://example.com/a?token=REDACTED'],
]

test('credentials and secrets in a URL are replaced', () => {
  for (const [url, redacted] of urls) assert.equal(redactUrl(url), redacted)
})
