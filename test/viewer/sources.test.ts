import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { ViewerData } from '#dist/viewer/data.js'
import { openSource, sourceAddress } from '#dist/viewer/sources/open.js'
import type { SpanDetail, TraceColumns } from '../../src/viewer/api.js'
import type { AskerOptions } from '../../src/viewer/sources/asker.js'
import type { TraceSearch } from '../../src/viewer/sources/source.js'
import {
  clickhouse,
  elasticApm,
  elasticsearch,
  jaeger,
  oldJaeger,
  otlp,
  SPANS,
  TRACE,
  tempo,
  tempoJson,
} from './source-answers.js'
import { type Handler, serve } from './source-server.js'
import { api, post, send, viewer } from './support.js'

const NOW = 1_790_000_100_000
const SEARCH: TraceSearch = { from: NOW - 3_600_000, to: NOW, attributes: [], limit: 20 }

const KINDS: Record<string, { handler: Handler; name: string; form: string }> = {
  'Jaeger, /api/v3': { handler: jaeger, name: 'Jaeger', form: 'jaeger+' },
  'Jaeger, /api/traces': { handler: oldJaeger, name: 'Jaeger', form: 'jaeger+' },
  'Tempo, protobuf': { handler: tempo, name: 'Tempo', form: 'tempo+' },
  'Tempo, JSON': { handler: tempoJson, name: 'Tempo', form: 'tempo+' },
  'Elasticsearch, mapping otel': { handler: elasticsearch, name: 'Elasticsearch', form: 'elasticsearch+' },
  'Elasticsearch, APM': { handler: elasticApm, name: 'Elasticsearch', form: 'elasticsearch+' },
  ClickHouse: { handler: clickhouse, name: 'ClickHouse', form: 'clickhouse+' },
}

describe('a source of traces', () => {
  for (const [title, { handler, name, form }] of Object.entries(KINDS)) {
    it(`brings threads, queue waits, parents and times: ${title}`, async (t) => {
      const direct = await viewer(t)
      await post(direct, otlp())
      const expected = await api<TraceColumns>(direct, `trace/${TRACE}`)
      const event = (await api<SpanDetail>(direct, `trace/${TRACE}/span/${SPANS[0]!.id}`)).events
      const { url } = await serve(t, handler)
      for (const address of [url, `${form}${url}`, `${form}${url}/`]) {
        const source = await openSource(address)
        assert.equal(source.name, `${name} at ${url}`)
        for (const pages of [
          source.trace(TRACE),
          source.search({ ...SEARCH, service: 'shop' }),
          source.search({
            ...SEARCH,
            service: 'shop',
            attributes: [['host.name', 'host-1']],
            minDuration: 1,
          }),
        ]) {
          const target = await viewer(t)
          assert.deepEqual(await target.read(pages, source.name), { spans: 3, rejected: 0 })
          const columns = await api<TraceColumns>(target, `trace/${TRACE}`)
          const { processes, strings: _, label: __, name: ___, ...rest } = columns
          const { processes: wanted, strings: ____, label: _____, name: ______, ...others } = expected
          assert.deepEqual(rest, others)
          assert.deepEqual(
            columns.name.map((i) => columns.strings[i]),
            expected.name.map((i) => expected.strings[i]),
          )
          assert.deepEqual(
            processes.map(({ service, pid, resource }) => [service, pid, resource['host.name']]),
            wanted.map(({ service, pid, resource }) => [service, pid, resource['host.name']]),
          )
          const root = await api<SpanDetail>(target, `trace/${TRACE}/span/${SPANS[0]!.id}`)
          assert.deepEqual(root.events, event)
          assert.deepEqual(root.scope, { name: 'tests', version: '1' })
          assert.equal(root.attributes['http.response.status_code'], 200)
        }
        const missing = source.trace('f'.repeat(32))
        assert.deepEqual(await new ViewerData({}).read(missing, source.name), { spans: 0, rejected: 0 })
      }
    })
  }

  it('is told what is looked for, in its own language, and nothing that it would take for something else', async (t) => {
    const odd: TraceSearch = {
      from: 1_790_000_000_000,
      to: 1_790_000_060_000,
      service: `a"b\\c' OR 1=1 -- {}`,
      minDuration: 50,
      attributes: [['key"1', `'; DROP "x\\`]],
      limit: 7,
    }
    const ask = async (handler: Handler, form: string) => {
      const { url, asked } = await serve(t, handler)
      const source = await openSource(`${form}${url}`)
      for await (const _ of source.search(odd));
      return asked
    }
    const [first] = await ask(oldJaeger, 'jaeger+')
    assert.deepEqual(Object.fromEntries(first!.url.searchParams), {
      service: odd.service,
      start: '1790000000000000',
      end: '1790000060000000',
      limit: '7',
      raw: 'true',
      minDuration: '50ms',
      tags: JSON.stringify({ 'key"1': `'; DROP "x\\` }),
    })
    const [search] = await ask(tempo, 'tempo+')
    assert.deepEqual(Object.fromEntries(search!.url.searchParams), {
      q: String.raw`{ resource.service.name = "a\"b\\c' OR 1=1 -- {}" && traceDuration >= 50ms && ."key\"1" = "'; DROP \"x\\" }`,
      limit: '7',
      start: '1790000000',
      end: '1790000060',
    })
    const [query] = await ask(elasticsearch, 'elasticsearch+')
    assert.equal(query!.url.pathname, '/traces-*%2Clogs-*/_search')
    assert.ok(query!.body.includes(JSON.stringify({ term: { 'service.name': odd.service } })))
    const [rows] = await ask(clickhouse, 'clickhouse+')
    assert.doesNotMatch(rows!.body, /DROP|OR 1=1/)
    assert.equal(rows!.url.searchParams.get('param_service'), String.raw`a"b\\c\' OR 1=1 -- {}`)
    assert.equal(rows!.url.searchParams.get('param_value0'), String.raw`\'; DROP "x\\`)
  })

  it('names the services of a Jaeger that has several', async (t) => {
    const { url } = await serve(t, oldJaeger)
    const source = await openSource(`jaeger+${url}`)
    await assert.rejects(source.search(SEARCH).next(), {
      code: 'THREADSPAN_SOURCE_ANSWER',
      message: `Jaeger at ${url}: it searches within one service: give it by --service; it knows "shop", "other"`,
    })
    const { url: other } = await serve(t, jaeger)
    const one = await openSource(`jaeger+${other}`)
    assert.equal((await new ViewerData({}).read(one.search(SEARCH), one.name)).spans, 3)
  })

  it('takes tables and indices of other names, and nothing else in its URL', async (t) => {
    const { url, asked } = await serve(t, clickhouse)
    for await (const _ of (await openSource(`clickhouse+${url}/metrics?table=spans`)).trace(TRACE));
    assert.equal(asked[0]!.url.searchParams.get('param_db'), 'metrics')
    assert.equal(asked[0]!.url.searchParams.get('param_table'), 'spans')
    const { url: elastic, asked: searches } = await serve(t, elasticsearch)
    for await (const _ of (await openSource(`elasticsearch+${elastic}?index=a-*,b`)).trace(TRACE));
    assert.equal(searches[0]!.url.pathname, '/a-*%2Cb/_search')
    assert.equal(sourceAddress('jaeger+http://host//other/x?index=a#b').base.href, 'http://host//other/x')
    for (const address of [
      'host:9200',
      'ftp://host',
      'zipkin+http://host',
      'http://user:secret@host',
      'http://user@host',
      'http://',
      'http://host?password=x',
      'elasticsearch+http://host?index=../x',
      'clickhouse+http://host/a/b',
    ]) {
      await assert.rejects(openSource(address), (error: Error & { code: string }) => {
        assert.equal(error.code, 'THREADSPAN_SOURCE_URL', address)
        assert.doesNotMatch(error.message, /secret|user:/)
        return true
      })
    }
  })

  it('is asked once for a trace that somebody opens, however many ask', async (t) => {
    const { url, asked } = await serve(t, jaeger)
    const target = await viewer(t, { source: await openSource(`jaeger+${url}`) })
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => send(`${target.endpoint}/api/trace/${TRACE}`)),
    )
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
    assert.equal(asked.length, 1)
    const missing = `${target.endpoint}/api/trace/${'f'.repeat(32)}`
    assert.equal((await send(missing)).status, 404)
    assert.equal((await send(missing)).status, 404)
    assert.equal(asked.length, 2)
  })

  it('is kept away from whoever asks where it fails', async (t) => {
    const { url } = await serve(t, () => ({
      status: 500,
      type: 'text/plain',
      body: 'the disk\u001b[31m is full',
    }))
    const target = await viewer(t, { source: await openSource(`tempo+${url}`) })
    const { status, json } = await send(`${target.endpoint}/api/trace/${TRACE}`)
    assert.equal(status, 502)
    assert.deepEqual(json(), {
      code: 'THREADSPAN_SOURCE_ANSWER',
      message: `Tempo at ${url}: it answered 500: the disk [31m is full`,
    })
  })
})

describe('a source that is hostile or broken', () => {
  const LIMITS: AskerOptions = { maxAnswer: 1_000_000 }
  const FORMS = ['jaeger+', 'tempo+', 'elasticsearch+', 'clickhouse+']

  const endless: Handler = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const more = () => {
      while (!response.destroyed && response.write('['.repeat(65_536)));
      response.once('drain', more)
    }
    more()
    return undefined
  }
  const dripping: Handler = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const timer = setInterval(() => response.write(' '), 20)
    response.on('close', () => clearInterval(timer))
    return undefined
  }
  const gzipped =
    (bytes: Buffer): Handler =>
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
      response.end(bytes)
      return undefined
    }
  const bomb = gzipSync(Buffer.alloc(50_000_000, ' '))
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`

  const SLOW = 'THREADSPAN_SOURCE_UNREACHABLE'

  const FAULTS: Record<string, { handler: Handler; code?: string; why: RegExp }> = {
    'is endless': { handler: endless, why: /longer than 1000000 bytes/ },
    'is slow': { handler: dripping, code: SLOW, why: /within 0\.3 s/ },
    'never answers': {
      handler: () => undefined,
      code: SLOW,
      why: /within 0\.3 s/,
    },
    'hangs up': {
      handler: (_, response) => void response.destroy(),
      code: 'THREADSPAN_SOURCE_UNREACHABLE',
      why: /hang up|ECONNRESET/,
    },
    'breaks off': {
      handler: (_, response) => {
        response.writeHead(200, { 'content-length': '1000' })
        response.write('{')
        setTimeout(() => response.destroy(), 10)
        return undefined
      },
      why: /aborted|ECONNRESET|terminated/,
    },
    'answers a bomb': { handler: gzipped(bomb), why: /longer than 1000000 bytes/ },
    'answers broken gzip': { handler: gzipped(Buffer.from('not gzip')), why: /header/ },
    'answers half of its gzip': {
      handler: gzipped(gzipSync('{}'.repeat(9999)).subarray(0, 30)),
      why: /end of file/,
    },
    'answers in a compression of its own': {
      handler: (_, response) => {
        response.writeHead(200, { 'content-encoding': 'br' }).end('x')
        return undefined
      },
      why: /compression/,
    },
    'is not JSON': { handler: () => ({ body: '{"data": [' }), why: /not JSON/ },
    'is JSON of another kind': { handler: () => ({ body: '"text"' }), why: /not an object/ },
    'is deep': { handler: () => ({ body: deep }), why: /not an object|not JSON/ },
    fails: {
      handler: () => ({ status: 503, type: 'text/plain', body: 'busy\r\nX-Evil: 1' }),
      why: /503: busy X-Evil/,
    },
    'wants credentials': { handler: () => ({ status: 401, body: {} }), why: /THREADSPAN_FROM_HEADERS/ },
  }

  for (const [title, { handler, code = 'THREADSPAN_SOURCE_ANSWER', why }] of Object.entries(FAULTS)) {
    it(`is an error where it ${title}`, async (t) => {
      const { url } = await serve(t, handler)
      for (const form of FORMS) {
        const timeout = title.includes('slow') || title.includes('never') ? 300 : 30_000
        const source = await openSource(`${form}${url}`, { ...LIMITS, timeout })
        const target = new ViewerData({})
        for (const pages of [source.trace(TRACE), source.search({ ...SEARCH, service: 'shop' })]) {
          await assert.rejects(target.read(pages, source.name), (error: Error & { code: string }) => {
            assert.equal(error.code, code, `${form} ${error.message}`)
            assert.match(error.message, why, form)
            assert.doesNotMatch(error.message, /\n/)
            return true
          })
        }
        assert.equal(target.store.spans, 0)
      }
    })
  }

  it('never leads elsewhere', async (t) => {
    const elsewhere = await serve(t, jaeger)
    for (const status of [301, 302, 303, 307, 308]) {
      const { url } = await serve(t, (_, response) => {
        response.writeHead(status, { location: `${elsewhere.url}/api/traces/${TRACE}` }).end()
        return undefined
      })
      for (const form of FORMS) {
        const source = await openSource(`${form}${url}`, { headers: { authorization: 'Bearer secret' } })
        await assert.rejects(source.trace(TRACE).next(), {
          code: 'THREADSPAN_SOURCE_ANSWER',
          message: /redirects/,
        })
      }
      await assert.rejects(openSource(url), { code: 'THREADSPAN_SOURCE_ANSWER' })
    }
    assert.equal(elsewhere.asked.length, 0)
  })

  it('refuses fields of other types, and never more than it was asked for', async (t) => {
    const wrong = [null, 7, 'x', [], {}, [null], [7], { x: 1 }, true, -1, 2 ** 70, '\ud800']
    const places: [string, (value: unknown) => unknown][] = [
      ['jaeger+', (value) => value],
      ['jaeger+', (result) => ({ result })],
      ['jaeger+', (resourceSpans) => ({ result: { resourceSpans } })],
      ['jaeger+', (scopeSpans) => ({ result: { resourceSpans: [{ scopeSpans }] } })],
      ['jaeger+', (spans) => ({ result: { resourceSpans: [{ scopeSpans: [{ spans }] }] } })],
      ['jaeger+', (traceId) => ({ result: { resourceSpans: [{ scopeSpans: [{ spans: [{ traceId }] }] }] } })],
      ['tempo+', (value) => value],
      ['tempo+', (batches) => ({ batches })],
      ['tempo+', (traces) => ({ traces })],
      ['tempo+', (traceID) => ({ traces: [{ traceID }] })],
      ['elasticsearch+', (value) => value],
      ['elasticsearch+', (hits) => ({ hits })],
      ['elasticsearch+', (hits) => ({ _scroll_id: 1, hits: { hits } })],
      ['elasticsearch+', (hits) => ({ hits: { hits } })],
      ['elasticsearch+', (_source) => ({ hits: { hits: [{ _source }] } })],
      [
        'elasticsearch+',
        (span_id) => ({ hits: { hits: [{ _source: { span_id, duration: 1, '@timestamp': 1 } }] } }),
      ],
      ['elasticsearch+', (span) => ({ hits: { hits: [{ _source: { span, '@timestamp': 1 } }] } })],
      ['elasticsearch+', (error) => ({ hits: { hits: [{ _source: { error, '@timestamp': 1 } }] } })],
      ['elasticsearch+', (aggregations) => ({ aggregations })],
      ['elasticsearch+', (buckets) => ({ aggregations: { otel: { buckets } } })],
      ['clickhouse+', (value) => value],
      ['clickhouse+', (TraceId) => ({ TraceId })],
      [
        'clickhouse+',
        (Events) => ({ TraceId: TRACE, SpanId: 'b7ad6b7169203331', StartNano: '1', EventTimes: Events }),
      ],
      ['clickhouse+', (SpanAttributes) => ({ TraceId: TRACE, SpanId: 'b7ad6b7169203331', SpanAttributes })],
    ]
    let current: unknown
    const { url } = await serve(t, () => ({ body: JSON.stringify(current) ?? 'null' }))
    for (const [form, place] of places) {
      const source = await openSource(`${form}${url}`)
      for (const value of wrong) {
        current = place(value)
        for (const pages of [source.trace(TRACE), source.search({ ...SEARCH, service: 'shop' })]) {
          const target = new ViewerData({})
          await target.read(pages, source.name).catch((error: Error & { code: string }) => {
            assert.equal(
              error.code,
              'THREADSPAN_SOURCE_ANSWER',
              `${form} ${JSON.stringify(current)}: ${error.stack}`,
            )
          })
          assert.ok(target.store.spans <= 1, JSON.stringify(current))
        }
      }
    }
  })

  it('comes to an end where pages never do', async (t) => {
    const hit = (i: number) => ({
      _source: {
        trace_id: TRACE,
        span_id: String(i).padStart(16, '0'),
        duration: 1,
        '@timestamp': '1790000000000.0',
      },
    })
    const hits = Array.from({ length: 1000 }, (_, i) => hit(i + 1))
    const { url, asked } = await serve(t, () => ({ body: { _scroll_id: 'again', hits: { hits } } }))
    const source = await openSource(`elasticsearch+${url}`)
    const target = new ViewerData({})
    await assert.rejects(target.read(source.trace(TRACE), source.name), {
      code: 'THREADSPAN_SOURCE_ANSWER',
      message: /more than 1000000 documents/,
    })
    assert.equal(asked.at(-1)!.method, 'DELETE')
    const many = await serve(t, () => ({ body: { hits: { hits: [...hits, hit(5000)] } } }))
    const other = await openSource(`elasticsearch+${many.url}`)
    await assert.rejects(other.trace(TRACE).next(), { message: /more than 1000 elements/ })
  })

  it('says where only a part of Elasticsearch answers', async (t) => {
    for (const part of [{ timed_out: true }, { _shards: { failed: 1 } }]) {
      const { url } = await serve(t, () => ({ body: { ...part, hits: { hits: [] } } }))
      const source = await openSource(`elasticsearch+${url}`)
      await assert.rejects(source.trace(TRACE).next(), { message: /only a part/ })
    }
  })

  it('says what cannot be reached, and what is none of those that are known', async (t) => {
    const { url } = await serve(t, () => ({ status: 404, type: 'text/plain', body: 'nothing here' }))
    await assert.rejects(openSource(url), {
      code: 'THREADSPAN_SOURCE_ANSWER',
      message: /say which by jaeger\+http:\/\/, tempo\+http/,
    })
    await assert.rejects(openSource('http://127.0.0.1:1'), { code: 'THREADSPAN_SOURCE_UNREACHABLE' })
  })
})
