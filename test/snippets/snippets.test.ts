import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { runProgram } from '../support/program.js'

const folder = resolve('test/snippets')
const programs = readdirSync(folder).filter((file) => /\.(mjs|ts)$/.test(file) && !file.endsWith('.test.ts'))
/** Loaded by the others, in their workers. */
const PARTS = new Set(['deadlines-worker.mjs', 'resize.mjs', 'resize-plain.mjs', 'messages-worker.mjs'])

const documents = ['docs', 'docs/guides']
  .flatMap((path) => readdirSync(path).map((file) => join(path, file)))
  .filter((file) => file.endsWith('.md'))

interface Snippet {
  readonly document: string
  readonly line: number
  readonly source: string | undefined
  readonly code: string
}

/** The JavaScript and TypeScript of a document, and the comment above that says where it comes from. */
function snippetsIn(document: string): Snippet[] {
  const text = readFileSync(document, 'utf8')
  return [...text.matchAll(/(?:<!-- snippet: (\S+) -->\n)?```(?:js|ts|mjs)\n([\s\S]*?)```/g)].map(
    (match) => ({
      document,
      line: text.slice(0, match.index).split('\n').length,
      source: match[1],
      code: match[2]!,
    }),
  )
}

/** A region of a file, without the indentation that all of its lines have. */
function region(file: string, name: string): string {
  const lines = readFileSync(join(folder, file), 'utf8').split('\n')
  const start = lines.findIndex((line) => line.trim() === `// #region ${name}`)
  assert.notEqual(start, -1, `${file} has no region ${name}`)
  const end = lines.findIndex((line, i) => i > start && line.trim() === '// #endregion')
  const body = lines.slice(start + 1, end)
  const indent = Math.min(...body.filter((line) => line !== '').map((line) => line.search(/\S/)))
  return `${body.map((line) => line.slice(indent)).join('\n')}\n`
}

describe('the reference', () => {
  const text = readFileSync('docs/reference.md', 'utf8')

  for (const face of ['index', 'worker']) {
    it(`names every export of ${face}`, async () => {
      const declarations = readFileSync(`src/${face}.ts`, 'utf8')
      const names = [...declarations.matchAll(/export (?:type )?\{([^}]*)\}/g)]
        .flatMap(([, list]) => list!.split(','))
        .map((name) => name.trim().replace(/^type /, ''))
        .filter((name) => name !== '')
      assert.ok(names.length > 10)
      assert.deepEqual(
        names.filter((name) => !new RegExp(`\\b${name}\\b`).test(text)),
        [],
      )
    })
  }

  it('names every variable that the configuration reads', () => {
    // Those of a configuration file, in a folder below, are named to say nothing.
    const files = readdirSync('src/config').filter((file) => file.endsWith('.ts'))
    const names = files.flatMap((file) => {
      const source = readFileSync(join('src/config', file), 'utf8')
      return [...source.matchAll(/'((?:OTEL|THREADSPAN)_[A-Z_]+)'/g)].map(([, name]) => name!)
    })
    assert.ok(names.includes('THREADSPAN_ERRORS'))
    const codes = /^THREADSPAN_(ENV|PROPAGATOR)_/
    assert.deepEqual(
      names.filter((name) => !codes.test(name) && !text.includes(name)),
      [],
    )
  })
})

describe('the code in the documentation', () => {
  for (const document of documents) {
    it(`${document}: is code that runs`, () => {
      for (const { line, source, code } of snippetsIn(document)) {
        assert.ok(source, `${document}:${line}: says not where it comes from`)
        const [file, name] = source.split('#') as [string, string]
        assert.equal(code, region(file, name), `${document}:${line}`)
      }
    })

    it(`${document}: leads to what is there`, () => {
      const text = readFileSync(document, 'utf8')
      for (const [, target] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
        assert.ok(existsSync(join(document, '..', target!)), `${document} leads to ${target}`)
      }
    })
  }

  for (const file of programs.filter((name) => !PARTS.has(name))) {
    it(`${file} runs`, async () => {
      const program = file.endsWith('.ts')
        ? resolve('build/test/snippets', `${basename(file, '.ts')}.js`)
        : join(folder, file)
      const { code, stderr } = await runProgram(program, { env: { OTEL_TRACES_EXPORTER: 'none' } })
      assert.deepEqual([code, stderr], [0, ''])
    })
  }
})
