import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { terminalStyle } from '#dist/terminal/terminal.js'
import { pickTrace, renderWaterfall } from '#dist/terminal/waterfall.js'
import { displayWidth, duration, fit, printable } from '#dist/trace/text.js'
import type { AnyValue } from '../../src/otlp/types.js'
import type { TraceSpan } from '../../src/terminal/waterfall.js'
import { hexId, TRACE_ID } from './support.js'

interface Options {
  id?: number
  traceId?: string
  pid?: number
  service?: string
  thread?: number
  flags?: number
  error?: string
  attributes?: Record<string, AnyValue>
}

const ORIGIN = 1_790_000_000_000_000_000n
let next = 1

/** A span from `start` to `end`, milliseconds. */
function span(
  name: string,
  parent: TraceSpan | string | undefined,
  start: number,
  end: number,
  options: Options = {},
): TraceSpan {
  const {
    id = next++,
    traceId = TRACE_ID,
    pid = 4711,
    service = 'checkout',
    thread = 0,
    flags = 0x101,
  } = options
  const time = (milliseconds: number): bigint => ORIGIN + BigInt(Math.round(milliseconds * 1e6))
  return {
    resource: { attributes: { 'service.name': service, 'process.pid': pid }, droppedAttributesCount: 0 },
    scope: 'test',
    span: {
      traceId,
      spanId: hexId(id),
      parentSpanId: typeof parent === 'string' ? parent : (parent?.span.spanId ?? ''),
      traceState: '',
      flags,
      name,
      kind: 1,
      startTimeUnixNano: time(start),
      endTimeUnixNano: time(end),
      attributes: {
        'thread.id': thread,
        'thread.name': thread === 0 ? 'main' : `worker ${thread}`,
        ...options.attributes,
      },
      droppedAttributesCount: 0,
      events: [],
      droppedEventsCount: 0,
      links: [],
      droppedLinksCount: 0,
      status: { code: options.error === undefined ? 0 : 2, message: options.error ?? '' },
    },
  }
}

/** Two processes, four workers, waits, an error, a death, and a hundred small ones. */
function fanout(): TraceSpan[] {
  const root = span('POST /fanout', undefined, 0, 182.4)
  const all = [root, span('SELECT orders', root, 1.2, 9.8)]
  for (let i = 0; i < 6; i++) {
    const thread = [1, 2, 3, 4, 1, 2][i]!
    const start = i < 4 ? 14 + i : 70 + i * 9
    const end = start + 40 + i * 7
    const task = span('task compress', root, 10.5, end + 0.8)
    const attributes = { 'threadspan.queue.wait': start - 10.5 }
    const run = span('run compress', task, start, end, {
      thread,
      attributes: { ...attributes, ...(i === 2 ? { 'threadspan.closed': 'out of memory' } : {}) },
      ...(i === 2 ? { error: 'worker ended' } : i === 3 ? { error: 'disk is full' } : {}),
    })
    all.push(task, run, span('GET', run, start + 5, start + 22, { thread }))
  }
  const fork = span('fork thumbnails', root, 60, 175)
  const child = { pid: 4733, service: 'thumbnails' }
  const job = span('thumbnails', fork, 95, 172, child)
  all.push(fork, job)
  for (let i = 0; i < 96; i++) {
    const start = 96 + i * 0.75
    all.push(
      span('resize', job, start, start + 0.6 + (i % 7) * 0.02, {
        ...child,
        ...(i === 50 ? { error: 'bad image' } : {}),
      }),
    )
  }
  return all
}

function golden(name: string, text: string): void {
  const path = resolve('test/export/golden', `${name}.txt`)
  if (process.env['UPDATE_GOLDEN'] !== undefined) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  assert.equal(text, readFileSync(path, 'utf8'))
}

const plain = { width: 110, color: false }
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours
const uncolored = (text: string): string => text.replace(/\x1b\[[\d;]*m/g, '')

describe('renderWaterfall', () => {
  it('draws a trace over threads and processes', () => {
    next = 1
    const spans = fanout()
    golden('fanout', renderWaterfall(spans, plain))
    golden('fanout-narrow', renderWaterfall(spans, { ...plain, width: 60 }))
    golden('fanout-color', renderWaterfall(spans, { width: 90, color: true }))
  })

  it('draws the same whatever the order of the spans', () => {
    next = 1
    const spans = fanout()
    const shuffled = spans.toSorted(
      (a, b) => ((Number(a.span.spanId) * 7919) % 113) - ((Number(b.span.spanId) * 7919) % 113),
    )
    assert.equal(renderWaterfall(shuffled, plain), renderWaterfall(spans, plain))
  })

  it('draws a span alone, one of no length, and none', () => {
    golden(
      'single',
      renderWaterfall([span('job', undefined, 0, 1234, { id: 1 })], { width: 80, color: false }),
    )
    golden('instant', renderWaterfall([span('job', undefined, 5, 5, { id: 1 })], { width: 80, color: false }))
    assert.equal(renderWaterfall([], plain), '')
  })

  it('shows orphans, circles and duplicates for what they are', () => {
    const root = span('request', undefined, 0, 100, { id: 1 })
    const text = renderWaterfall(
      [
        root,
        span('late', hexId(99), 10, 20, { id: 2 }),
        span('from elsewhere', hexId(98), 10, 20, { id: 3, flags: 0x301 }),
        span('chicken', hexId(5), 30, 40, { id: 4 }),
        span('egg', hexId(4), 35, 45, { id: 5 }),
        span('own parent', hexId(6), 50, 60, { id: 6 }),
        span('request again', undefined, 0, 100, { id: 1 }),
        span('child', root, 70, 80, { id: 7 }),
      ],
      { width: 120, color: false },
    )
    golden('broken', text)
  })

  it('bounds the number of lines and the depth', () => {
    const root = span('root', undefined, 0, 1000, { id: 1 })
    const chain = [root]
    for (let i = 2; i <= 20_000; i++) {
      const start = i / 100
      chain.push(span(`level ${i}`, chain.at(-1), start, 1000, { id: i }))
    }
    const lines = renderWaterfall(chain, { width: 100, color: false, rows: 50 }).split('\n')
    assert.ok(lines.length < 70)
    assert.ok(lines.includes(' … and 19,950 more spans'))
    for (const line of lines) assert.ok(displayWidth(line) <= 100, line)
  })

  it('names every span once: shown, folded or omitted', () => {
    const spans = fanout()
    const text = renderWaterfall(spans, { ...plain, rows: 10 })
    const omitted = Number(/and (\d+) more spans/.exec(text)![1])
    assert.equal(omitted, spans.length - 10)
  })

  it('shows failures among the folded, and says how many are not shown', () => {
    const root = span('root', undefined, 0, 100, { id: 1 })
    const many = Array.from({ length: 50 }, (_, i) =>
      span('item', root, i, i + 1, { id: i + 2, ...(i % 5 === 0 ? { error: 'no' } : {}) }),
    )
    const text = renderWaterfall([root, ...many], plain)
    assert.equal(text.match(/✗ item {2}/g)!.length, 4)
    assert.match(text, /… 46 more like this \(6 ✗\)/)
  })

  it('draws the trace with the most threads, unless told otherwise', () => {
    const other = '0af7651916cd43dd8448eb211c80319c'
    const spans = [
      span('a', undefined, 0, 1, { traceId: other }),
      span('b', undefined, 0, 1, { traceId: other }),
      span('c', undefined, 0, 1, { traceId: other }),
      span('d', undefined, 0, 1),
      span('e', undefined, 0, 1, { thread: 1 }),
    ]
    assert.equal(pickTrace(spans), TRACE_ID)
    assert.match(renderWaterfall(spans, plain), /2 spans on 2 threads/)
    assert.match(renderWaterfall(spans, { ...plain, traceId: other }), /3 spans on 1 thread in/)
  })

  it('lets no control character out, and keeps to the width', () => {
    const evil = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\x1b[2J',
        '\x1b]0;title\x07',
        'a\nb\tc',
        '\u202eabc',
        '\u200b',
        '日本語のスパン',
        '👩‍👩‍👧',
        'x'.repeat(5000),
        '\ud800',
      ),
    )
    const anything = fc.record({
      name: evil,
      parent: fc.integer({ min: 0, max: 12 }),
      start: fc.integer({ min: -1000, max: 1e6 }),
      length: fc.integer({ min: -10, max: 1e6 }),
      thread: fc.oneof(evil, fc.integer()),
      wait: fc.oneof(fc.double(), fc.integer({ min: 0, max: 1000 })),
      service: evil,
      error: fc.option(evil, { nil: undefined }),
    })
    fc.assert(
      fc.property(
        fc.array(anything, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 40, max: 200 }),
        fc.boolean(),
        (all, width, color) => {
          const spans = all.map((one, i) =>
            span(
              one.name,
              one.parent === 0 ? undefined : hexId(one.parent),
              one.start,
              one.start + one.length,
              {
                id: i + 1,
                service: one.service,
                ...(one.error === undefined ? {} : { error: one.error }),
                attributes: {
                  'thread.name': one.thread,
                  'threadspan.queue.wait': one.wait,
                  'threadspan.closed': one.name,
                },
              },
            ),
          )
          const text = uncolored(renderWaterfall(spans, { width, color }))
          // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
          assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e]/)
          for (const line of text.split('\n')) assert.ok(displayWidth(line) <= width, `${width}: ${line}`)
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('text', () => {
  it('formats durations with three digits', () => {
    const expected: [number, string][] = [
      [0, '0 ms'],
      [-1, '0 ms'],
      [Number.NaN, '0 ms'],
      [0.000087, '87 ns'],
      [0.0123, '12.3 µs'],
      [0.9996, '1 ms'],
      [1.2549, '1.25 ms'],
      [182.44, '182 ms'],
      [999.6, '1 s'],
      [59_900, '59.9 s'],
      [59_970, '1 m 00 s'],
      [125_000, '2 m 05 s'],
      [7_380_000, '2 h 03 m'],
      [1e9, '11 d'],
    ]
    for (const [value, text] of expected) assert.equal(duration(value), text)
  })

  it('measures and cuts wide text by columns', () => {
    assert.equal(displayWidth('日本'), 4)
    assert.equal(displayWidth('é'), 1)
    assert.equal(displayWidth('👍a'), 3)
    assert.equal(fit('日本語', 4), '日… ')
    assert.equal(fit('abc', 5), 'abc  ')
    assert.equal(fit('abc', 5, 'right'), '  abc')
    assert.equal(fit('abcdef', 4), 'abc…')
    assert.equal(fit('abc', 0), '')
  })

  it('makes control characters harmless', () => {
    assert.equal(printable('a\nb\x1b[31mc\u202ed\ud800'), 'a b\ufffd[31mc\ufffdd\ufffd')
    assert.equal(printable('grün 日本 👍'), 'grün 日本 👍')
  })
})

describe('terminalStyle', () => {
  it('honours NO_COLOR, FORCE_COLOR and the width', () => {
    assert.deepEqual(terminalStyle(9999, {}), { width: 100, color: false })
    assert.deepEqual(terminalStyle(9999, { COLUMNS: '132', FORCE_COLOR: '1' }), { width: 132, color: true })
    assert.deepEqual(terminalStyle(9999, { FORCE_COLOR: '', NO_COLOR: '1' }, 70), { width: 70, color: true })
    assert.equal(terminalStyle(1, { FORCE_COLOR: '0' }).color, false)
    assert.equal(terminalStyle(1, { NO_COLOR: '1' }).color, false)
    assert.equal(terminalStyle(1, { TERM: 'dumb' }).color, false)
  })
})
