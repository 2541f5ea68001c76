import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyRows, model, tidyRows, trace } from './support.js'

describe('texts for people', () => {
  it('write durations with three digits and a fitting unit', () => {
    const cases: [number, string][] = [
      [0, '0'],
      [0.000012, '12.0 ns'],
      [0.85, '850 µs'],
      [0.9996, '1.00 ms'],
      [12.44, '12.4 ms'],
      [999.6, '1.00 s'],
      [3200, '3.20 s'],
      [59_960, '1 min'],
      [125_000, '2 min 5 s'],
      [3_600_000, '1 h'],
      [-12.44, '-12.4 ms'],
      [Number.NaN, '–'],
    ]
    for (const [value, text] of cases) assert.equal(model.duration(value), text)
  })

  it('write the marks of an axis as exactly as their distance asks for, each another', () => {
    const cases: [number, number, string][] = [
      [0, 50, '0'],
      [50, 50, '50 ms'],
      [0.5, 0.5, '500 µs'],
      [1.5, 0.5, '1.5 ms'],
      [123.4561, 0.0001, '123.4561 ms'],
      [2000, 1000, '2 s'],
      [3250, 50, '3.25 s'],
      [120_000, 60_000, '2 min'],
    ]
    for (const [value, step, text] of cases) assert.equal(model.mark(value, step), text)
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e5, noNaN: true }),
        fc.double({ min: 1e-4, max: 1e5, noNaN: true }),
        (from, width) => {
          const marks = model.ticks(from, from + width, 8)
          const texts = marks.map((mark) => model.mark(mark, marks[1]! - marks[0]!))
          assert.equal(new Set(texts).size, texts.length, texts.join(', '))
        },
      ),
    )
  })

  it('write counts, shares and bytes', () => {
    assert.equal(model.count(12_400), '12,400')
    assert.equal(model.count(1_250_000), '1.25 M')
    assert.equal(model.percent(0.004), '0.4 %')
    assert.equal(model.percent(0.1234), '12 %')
    assert.equal(model.bytes(1500), '1.50 KB')
    assert.equal(model.plural(1, 'span'), '1 span')
    assert.equal(model.plural(2, 'process', 'processes'), '2 processes')
  })

  it('place ticks at round times within the window', () => {
    assert.deepEqual(model.ticks(0, 100, 5), [0, 20, 40, 60, 80, 100])
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e7, noNaN: true }),
        fc.double({ min: 1e-5, max: 1e7, noNaN: true }),
        fc.integer({ min: 1, max: 20 }),
        (from, width, most) => {
          const marks = model.ticks(from, from + width, most)
          assert.ok(marks.length <= most + 1)
          for (const mark of marks) assert.ok(mark >= from - width * 1e-3 && mark <= from + width * 1.001)
        },
      ),
    )
  })

  it('lay SQL out by clauses and change nothing but white space', () => {
    assert.equal(
      model.formatSql(
        "select id, name from users u left join orders o on o.user_id = u.id where u.name = 'and from' and o.total between 1 and 5 order by (select 1)",
      ),
      [
        'select id, name',
        'from users u',
        'left join orders o on o.user_id = u.id',
        "where u.name = 'and from'",
        '  and o.total between 1 and 5',
        'order by (select 1)',
      ].join('\n'),
    )
    const bare = (text: string) => text.replace(/\s+/g, '')
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc
            .array(fc.constantFrom('select', 'FROM', "'a", "b'", '(', ')', ' ', '\n', '--', 'and', '1', '😀'))
            .map((parts) => parts.join('')),
        ),
        (text) => {
          assert.equal(bare(model.formatSql(text)), bare(text))
        },
      ),
    )
  })
})

describe('gaps in a line', () => {
  it('close where other lines have their times, and stay where the line is silent', () => {
    const times = [0, 3, 10, 13, 20, 23, 30, 60, 63, 70]
    const line = [1, null, 2, null, 3, null, 4, 5, null, 6]
    assert.deepEqual(model.closeGaps(times, line), [
      1,
      undefined,
      2,
      undefined,
      3,
      undefined,
      4,
      5,
      undefined,
      6,
    ])
    const silent = [null, 1, null, 2, null, 3, null, null, 4, null]
    assert.deepEqual(model.closeGaps(times, silent), [
      null,
      1,
      undefined,
      2,
      undefined,
      3,
      null,
      null,
      4,
      null,
    ])
    assert.deepEqual(model.closeGaps([1, 2], [null, null]), [null, null])
    assert.deepEqual(model.closeGaps([], []), [])
  })
})

describe('the grammar of searches', () => {
  const terms = (text: string) => {
    const { terms, problems } = model.parseQuery(text)
    assert.deepEqual(problems, [])
    return terms.map((term) => {
      const sign = term.isNot ? '-' : ''
      if (term.type === 'text') return `${sign}${term.text}`
      if (term.type === 'state') return `${sign}is ${term.state}`
      return `${sign}${term.key} ${term.operator} ${term.value}${Number.isNaN(term.number) ? '' : ` (${term.number})`}`
    })
  }

  it('has words, quoted ones, fields, states, and what is not', () => {
    assert.deepEqual(terms('  GET   /orders '), ['get', '/orders'])
    assert.deepEqual(terms('"two  Words" is:error -is:ok'), ['two  words', 'is error', '-is ok'])
    assert.deepEqual(terms('http.request.method=POST a!=b -c="d e" "f=g"'), [
      'http.request.method = post',
      'a != b',
      '-c = d e',
      'f=g',
    ])
    assert.deepEqual(terms('n>1 n>=1.5 n<-2 n<=0x10'), [
      'n > 1 (1)',
      'n >= 1.5 (1.5)',
      'n < -2 (-2)',
      'n <= 0x10 (16)',
    ])
    assert.deepEqual(terms('duration>50ms duration<=1.5s duration<200us duration>=7 duration=1m'), [
      'duration > 50ms (50)',
      'duration <= 1.5s (1500)',
      'duration < 200us (0.2)',
      'duration >= 7 (7)',
      'duration = 1m (60000)',
    ])
    assert.deepEqual(terms('- "" = <b>x=1</b> url=a=b "unclosed x'), [
      '-',
      '=',
      '<b>x=1</b>',
      'url = a=b',
      'unclosed x',
    ])
  })

  it('says what it does not know', () => {
    for (const [text, problem] of [
      ['is:slow', /is:slow.*is:error/],
      ['duration>soon', /soon.*not a duration/],
      ['duration>5parsec', /5parsec.*not a duration/],
      ['size>big', /big.*not a number/],
      ['size>', /not a number/],
      ['x'.repeat(1001), /1000 characters/],
      ['a '.repeat(21), /20 terms/],
    ] as const) {
      assert.match(model.parseQuery(text).problems[0]!, problem, text)
    }
  })

  it('reads whatever it is given, in bounds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 2000 }), (text) => {
        const { terms } = model.parseQuery(text)
        assert.ok(terms.length <= 20)
        for (const term of terms) if (term.type === 'field') model.compare(term, text)
      }),
    )
  })

  it('compares numbers as numbers and text whatever its case', () => {
    const [same, other, more] = model.parseQuery('a=200 a!=Ok a>99').terms as Parameters<
      typeof model.compare
    >[0][]
    assert.deepEqual(
      [200, '200', '0200', 201].map((value) => model.compare(same!, value)),
      [true, true, false, false],
    )
    assert.deepEqual(
      ['OK', 'failed'].map((value) => model.compare(other!, value)),
      [false, true],
    )
    assert.deepEqual(
      [100, '100', 'many', 99, ''].map((value) => model.compare(more!, value)),
      [true, true, false, false, false],
    )
  })
})

describe('comparison of two traces', () => {
  it('matches spans by their path of names, and puts the greatest change first', () => {
    const left = trace([
      { name: 'GET /', start: 0, end: 50 },
      { name: 'query', start: 0, end: 10, parent: 0 },
      { name: 'resize', start: 10, end: 40, parent: 0 },
    ])
    const right = trace([
      { name: 'GET /', start: 0, end: 90 },
      { name: 'query', start: 0, end: 12, parent: 0 },
      { name: 'resize', start: 12, end: 50, parent: 0 },
      { name: 'resize', start: 50, end: 88, parent: 0 },
    ])
    const rows = model.compareTraces(left, right)
    assert.deepEqual(
      rows.map(({ name, depth, left, right }) => [
        name,
        depth,
        left.count,
        right.count,
        left.total,
        right.total,
      ]),
      [
        ['GET /', 0, 1, 1, 50, 90],
        ['resize', 1, 1, 2, 30, 76],
        ['query', 1, 1, 1, 10, 12],
      ],
    )
  })

  it('loses no span of either side', () => {
    fc.assert(
      fc.property(anyRows, tidyRows, (a, b) => {
        const rows = model.compareTraces(trace(a), trace(b))
        const sum = (side: 'left' | 'right') => rows.reduce((total, row) => total + row[side].count, 0)
        assert.equal(sum('left'), a.length)
        assert.equal(sum('right'), b.length)
      }),
    )
  })
})

describe('colours and windows', () => {
  it('give the main thread a hue of its own', () => {
    const read = trace([
      { start: 0, end: 9 },
      { start: 1, end: 2, thread: 1 },
      { start: 1, end: 2, thread: 2 },
    ])
    assert.deepEqual([...model.hues(read, 'thread')], [0, 1, 2])
    for (const by of ['thread', 'service', 'name'] as const) {
      for (const hue of model.hues(read, by)) assert.ok(hue < model.HUES)
    }
  })

  it('keep what is in view within the trace, and the instant under the pointer in place', () => {
    const bounds = { from: -5, to: 95 }
    const number = fc.double({ min: -200, max: 200, noNaN: true })
    fc.assert(
      fc.property(number, number, fc.double({ min: 0.1, max: 10, noNaN: true }), (a, b, factor) => {
        const window = model.clampWindow({ from: Math.min(a, b), to: Math.max(a, b) }, bounds)
        const middle = (window.from + window.to) / 2
        const after = model.zoom(window, bounds, factor, middle)
        for (const { from, to } of [window, after, model.pan(window, bounds, factor)]) {
          assert.ok(from >= -5 - 1e-9 && to <= 95 + 1e-9 && to > from)
        }
        if (factor < 1) assert.ok(Math.abs((after.from + after.to) / 2 - middle) < 1e-6)
      }),
    )
  })
})
