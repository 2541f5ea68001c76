import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { inSources } from '#dist/exceptions/source-maps.js'
import { compile } from '../decorators/compile.js'
import { PRELOAD, runProgram } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

let receiver: Receiver
const folder = mkdtempSync(join(tmpdir(), 'threadspan-maps-'))
before(async () => {
  receiver = await Receiver.start()
})
after(async () => {
  rmSync(folder, { recursive: true, force: true })
  await receiver.close()
})
beforeEach(() => {
  receiver.spans.length = 0
})

const run = (program: string, node: string[] = [], env: Record<string, string> = {}) =>
  runProgram(program, { node, env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...env } })
const told = (span: string) => {
  const { attributes } = receiver.named(span)[0]!.events[0]!
  return [String(attributes['exception.stacktrace']), attributes['threadspan.error.culprit']] as const
}

describe('a stack is told in the terms of the sources', () => {
  for (const [what, option, node] of [
    ['Node does it', '--sourceMap', ['--enable-source-maps']],
    ['by the map beside the file', '--sourceMap', []],
    ['by the map inside of it', '--inlineSourceMap', []],
  ] as const) {
    it(what, async () => {
      const program = await compile(`failing${option}${node.length}`, 'failing', [option])
      const { code, stderr } = await run(program, [...node])
      assert.deepEqual([code, stderr], [0, ''])
      const [stack, culprit] = told('Orders.save')
      assert.match(stack, /at Orders\.save \(.*failing\.ts:12:11\)/)
      assert.equal(culprit, 'decorators/failing.ts:12')
    })
  }

  it('not with THREADSPAN_SOURCE_MAPS=false', async () => {
    const program = await compile('failing-off', 'failing', ['--sourceMap'])
    const { code, stderr } = await run(program, [], { THREADSPAN_SOURCE_MAPS: 'false' })
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(told('Orders.save')[0], /failing\.js:\d+/)
  })

  for (const kind of ['cjs', 'mjs']) {
    it(`in main and worker, .${kind}; the program sees its stacks as they are`, async () => {
      const head =
        kind === 'cjs'
          ? "const { Piscina } = require('piscina'); const { trace } = require('@opentelemetry/api')"
          : "import { Piscina } from 'piscina'; import { trace } from '@opentelemetry/api'"
      const task = kind === 'cjs' ? 'module.exports =' : 'export default'
      // Line by line, all of one source.
      const withMap = (name: string, text: string): string => {
        const mappings = `AAAA${';AACA'.repeat(text.split('\n').length - 1)}`
        const map = JSON.stringify({ version: 3, mappings, sources: [`src/${name}.ts`], names: [] })
        const file = join(folder, `${name}.${kind}`)
        writeFileSync(
          file,
          `${text}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString('base64')}\n`,
        )
        return file
      }
      const taskFile = withMap(`task-${kind}`, `\n${task} async () => {\n  throw new Error('no')\n}`)
      const program = withMap(
        `main-${kind}`,
        `${head}
const pool = new Piscina({ filename: ${JSON.stringify(taskFile)}, maxThreads: 1 })
async function submit() {
  await pool.run()
}
trace.getTracer('app').startActiveSpan('request', async (span) => {
  const error = await submit().catch((caught) => caught)
  span.end()
  console.log(error.stack.split('\\n')[1])
  throw new Error('unheard')
})`,
      )
      const link = join(folder, 'node_modules')
      rmSync(link, { force: true })
      symlinkSync(join(process.cwd(), 'node_modules'), link)
      const plain = await run(program)
      const traced = await run(program, ['--require', PRELOAD])
      const frames = (text: string) => text.split('\n').filter((line) => line.includes(folder))
      assert.equal(traced.code, 1)
      assert.equal(traced.stdout, plain.stdout)
      assert.deepEqual(frames(traced.stderr), frames(plain.stderr))
      assert.match(plain.stdout, new RegExp(`task-${kind}\\.${kind}:3`))
      for (const name of ['task', 'run']) {
        const [stack, culprit] = told(`${name} task-${kind}`)
        assert.match(stack, new RegExp(`^Error: no\\n {4}at .*src/task-${kind}\\.ts:3:1`))
        assert.equal(culprit, `src/task-${kind}.ts:3`)
      }
      assert.match(
        told(`task task-${kind}`)[0],
        new RegExp(`Awaited by:\\n {4}at async submit \\(${folder}/src/main-${kind}\\.ts:4:1\\)\\n`),
      )
      const stray = receiver.spans.find(({ name }) => name === 'error Error')!
      assert.equal(stray.events[0]!.attributes['threadspan.error.culprit'], `src/main-${kind}.ts:10`)
    })
  }
})

describe('inSources', () => {
  const write = (name: string, url: string, text = '1\n2\n3\n'): string => {
    const file = join(folder, name)
    writeFileSync(file, `${text}//# sourceMappingURL=${url}\n`)
    return file
  }
  const at = (file: string, line = 1, column = 1) => inSources(`Error\n    at f (${file}:${line}:${column})`)
  const simple = { version: 3, names: [], sources: ['a.ts'], mappings: 'AAAA;AACA,EAAE;;EACA' }

  it('finds what Node finds, for every position of a compiled file', async () => {
    const program = await compile('failing-oracle', 'failing', ['--sourceMap', '--inlineSources'])
    const node = new SourceMap(JSON.parse(readFileSync(`${program}.map`, 'utf8')))
    const lines = readFileSync(program, 'utf8').split('\n')
    let compared = 0
    for (const [line, text] of lines.entries()) {
      for (let column = 0; column <= text.length; column++) {
        const entry = node.findEntry(line, column) as Partial<ReturnType<SourceMap['findEntry']> & object> & {
          generatedLine?: number
          originalLine?: number
          originalColumn?: number
        }
        // Node looks for the last mapping in the lines above as well, which the format does not mean.
        const isOfLine = entry.originalLine !== undefined && entry.generatedLine === line
        const place = isOfLine
          ? `failing.ts:${entry.originalLine! + 1}:${entry.originalColumn! + 1})`
          : `failing.js:${line + 1}:${column + 1})`
        assert.ok(at(program, line + 1, column + 1).endsWith(place), `${line}:${column} ${place}`)
        if (isOfLine) compared++
      }
    }
    assert.ok(compared > 500, `${compared} positions`)
  })

  it('takes sections, roots, URLs and comments behind; leaves lines without a mapping', () => {
    const data = (map: object) => `data:application/json,${encodeURIComponent(JSON.stringify(map))}`
    const plain = write('plain.js', data(simple))
    assert.match(at(plain, 2, 3), new RegExp(`${folder}/a\\.ts:2:3\\)$`))
    assert.match(at(plain, 2, 2), /a\.ts:2:1\)$/)
    assert.match(at(plain, 3, 1), /plain\.js:3:1\)$/)
    assert.match(at(plain, 4, 2), /plain\.js:4:2\)$/)
    assert.match(at(`${pathToFileURL(plain).href}?v=1`, 1, 9), /\/a\.ts:1:1\)$/)
    const webpack = write('webpack.js', data({ ...simple, sources: ['webpack://app/./a.ts'] }))
    assert.match(at(webpack), /\(webpack:\/\/app\/\.\/a\.ts:1:1\)$/)
    const rooted = write('rooted.js', `${data({ ...simple, sourceRoot: '../src' })}\n//# debugId=1`)
    assert.match(at(rooted), /\/src\/a\.ts:1:1\)$/)
    const sections = [
      { offset: { line: 0, column: 0 }, map: simple },
      { offset: { line: 1, column: 5 }, map: { ...simple, sources: ['b.ts'] } },
    ]
    const indexed = write('indexed.js', data({ version: 3, sections }))
    assert.match(at(indexed, 2, 5), /\/a\.ts:2:3\)$/)
    assert.match(at(indexed, 2, 6), /\/b\.ts:1:1\)$/)
    assert.match(at(indexed, 3, 1), /\/b\.ts:2:1\)$/)
  })

  it('leaves everything as it is where a map is missing, broken, too large or elsewhere', () => {
    const data = (text: string) => `data:application/json;base64,${Buffer.from(text).toString('base64')}`
    const large = join(folder, 'large.js.map')
    writeFileSync(large, JSON.stringify(simple))
    truncateSync(large, 9 * 1024 * 1024)
    const cases = {
      missing: 'nowhere.map',
      folder: '.',
      device: '/dev/zero',
      remote: 'https://example.com/a.map',
      large: 'large.js.map',
      empty: data(''),
      text: data('"text"'),
      nothing: data('null'),
      fields: data('{"version":3,"mappings":5}'),
      digits: data('{"version":3,"mappings":"!!!!","sources":["a.ts"]}'),
      endless: data(`{"version":3,"mappings":"${'g'.repeat(10_000)}","sources":["a.ts"]}`),
      outside: data('{"version":3,"mappings":"AEAA","sources":["a.ts"]}'),
      percent: '%E0%A4%A',
    }
    for (const [name, url] of Object.entries(cases)) {
      const file = write(`${name}.js`, url)
      assert.equal(at(file), `Error\n    at f (${file}:1:1)`, name)
    }
    const quoted = write('quoted.js', data(JSON.stringify(simple)), 'a = `\n')
    writeFileSync(quoted, `${readFileSync(quoted, 'utf8')}\`\nmore()\n`)
    assert.equal(at(quoted), `Error\n    at f (${quoted}:1:1)`)
    assert.equal(inSources(''), '')
    assert.equal(inSources('Error: at (x:1:1)\n    at nowhere'), 'Error: at (x:1:1)\n    at nowhere')
  })
})
