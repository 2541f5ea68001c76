import { count } from '../core/counters.js'

/** RFC 9110, section 5.5: nothing else may stand in a field's value, or it could end the field and begin another. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
/**
 * Sets headers of a request of `node:http`, as a propagator's carrier. A header of the same name is replaced.
 *
 * A request whose headers are given as a list, or that expects `100-continue`, has rendered them when it is seen first; a
 * line is then put into the text, as long as that was not written to a connection.
 */
export const headerSetter = {
  set(request, name, value) {
    try {
      const rendered = request
      if (typeof rendered._header === 'string') addRenderedHeader(rendered, name, value)
      else request.setHeader(name, value)
    } catch {
      count('http.client.header')
    }
  },
}
function addRenderedHeader(request, name, value) {
  const before = request._header
  const queued = request.outputData?.[0]
  const waiting = typeof queued?.data === 'string' && queued.data.startsWith(before)
  if ((request._headerSent && !waiting) || !before.endsWith('\r\n\r\n') || !FIELD_VALUE.test(value)) {
    count('http.client.header')
    return
  }
  const after = `${withoutHeader(before, name)}${name}: ${value}\r\n\r\n`
  if (request._headerSent) {
    queued.data = after + queued.data.slice(before.length)
    if (typeof request.outputSize === 'number') request.outputSize += after.length - before.length
  }
  request._header = after
}
/** The lines of a rendered header but for those of one name, without the empty line at the end. */
function withoutHeader(header, name) {
  const start = `${name.toLowerCase()}:`
  const lines = header.slice(0, -2).split('\r\n')
  return lines.filter((line, index) => index === 0 || !line.toLowerCase().startsWith(start)).join('\r\n')
}
