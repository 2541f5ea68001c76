import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { concat, encodeKeyValues, encodeResource, encodeScope, lengthDelimited } from '#dist/otlp/encode.js'
import { encodeSpan } from '#dist/otlp/encode-span.js'
import type { TraceSummary } from '../../src/viewer/api.js'
import { api, post, send, span, viewer } from './support.js'

let seed = 11
function below(limit: number): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed % limit
}
const pick = <T>(list: readonly T[]): T => list[below(list.length)]!

const WORDS = [
  'Checkout',
  'payment',
  'ÄRGER',
  'SELECT',
  'orders',
  'x',
  'id',
  'a.b',
  '12',
  '3.5',
  'timeout',
  'naïve',
  '€uro',
]
const word = () => (below(20) === 0 ? `rare${below(200)}` : pick(WORDS) + (below(3) === 0 ? pick(WORDS) : ''))

interface Known {
  trace: string
  text: string
  attributes: Record<string, string | number | string[]>
}

const lower = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())

describe('what a search passes over', () => {
  it('never holds what is looked for, however spans are encoded, come and leave', async (t) => {
    const target = await viewer(t, { maxSpans: 1500 })
    const spans: Known[] = []
    for (let trace = 1; trace <= 400; trace++) {
      const encoded = Array.from({ length: 1 + below(20) }, (_, i) => {
        const attributes: Known['attributes'] = {
          [word()]: word(),
          'user.name': word(),
          count: below(300),
          list: [word(), word()],
        }
        const name = below(10) === 0 ? '' : word()
        const one = span(trace, trace * 1000 + i, 0, { name, attributes: below(3) === 0 ? {} : attributes })
        const isOdd = Object.keys(one.attributes).length === 0
        const text = lower([name, ...Object.entries(attributes).flat(2)].join('\n'))
        spans.push({ trace: one.traceId, text, attributes })
        // Fields may come in any order: these before the ids.
        return isOdd ? concat([encodeKeyValues(0x4a, attributes, 0), encodeSpan(one)]) : encodeSpan(one)
      })
      const scopeSpans = concat([
        lengthDelimited(0x0a, encodeScope('tests')),
        ...encoded.map((one) => lengthDelimited(0x12, one)),
      ])
      const resource = lengthDelimited(0x0a, encodeResource({ 'service.name': 'z' }))
      await post(target, lengthDelimited(0x0a, concat([resource, lengthDelimited(0x12, scopeSpans)])))
    }
    const csv = (await send(`${target.endpoint}/api/export?format=csv`)).body.toString()
    const held = new Set([...csv.matchAll(/^[0-9a-f]{32}/gm)].map(([id]) => id))
    assert.ok(held.size > 50 && held.size < 400)
    const rest = spans.filter(({ trace }) => held.has(trace))
    const found = async (search: string) => {
      const path = `traces?limit=1000&search=${encodeURIComponent(search)}`
      return (await api<TraceSummary[]>(target, path)).map(({ traceId }) => traceId).sort()
    }
    const those = (meets: (one: Known) => boolean) =>
      [...new Set(rest.filter(meets).map(({ trace }) => trace))].sort()
    let some = 0
    for (let i = 0; i < 150; i++) {
      const whole = word()
      const at = below(whole.length)
      const part = pick([
        whole,
        whole.slice(at),
        whole.slice(0, at + 1),
        whole.toUpperCase(),
        `rare${below(400)}`,
      ])
      // Ids, threads and the like are found by rules of their own.
      if (/^[0-9a-f]{4,}$|^\d|["\s=<>!]|^-|^.$/i.test(part) || 'process z'.includes(lower(part))) continue
      const expected = those(({ text }) => text.includes(lower(part)))
      assert.deepEqual(await found(`"${part}"`), expected, part)
      if (expected.length > 0) some++
      const value = pick([whole, lower(whole), `rare${below(200)}`])
      for (const key of ['user.name', 'list']) {
        const has = ({ attributes }: Known) =>
          [attributes[key]!]
            .flat()
            .some((each) => lower(String(each)) === lower(value) || Number(each) === Number(value))
        assert.deepEqual(await found(`${key}="${value}"`), those(has), `${key}=${value}`)
      }
      const count = below(300)
      assert.deepEqual(
        await found(`count=${count}`),
        those(({ attributes }) => attributes['count'] === count),
      )
    }
    assert.ok(some > 30)
  })
})
