import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import pino from 'pino'
import { logFields, pinoMixin, start, winstonFormat, withTransaction } from 'threadspan'

start()
const lines = []
const output = new Writable({ write: (chunk, _, done) => done(null, lines.push(JSON.parse(String(chunk)))) })

// #region wrong
const logger = pino(logFields(), output) // the ids of this moment, on every line
// #endregion

// #region right
const log = pino({ mixin: pinoMixin({ format: 'ecs' }) }, output)
// #endregion

withTransaction('work', () => {
  logger.info('without')
  log.info('with')
})
assert.equal(lines[0]['trace_id'], undefined)
assert.match(lines[1]['trace.id'], /^[0-9a-f]{32}$/)

const format = { combine: (...formats) => formats, json: () => ({}) }
// #region winston
const formats = format.combine(winstonFormat(), format.json())
// #endregion
assert.equal(formats.length, 2)

// #region plain
console.log(JSON.stringify({ message: 'saved', ...logFields() }))
// #endregion
process.exit()
