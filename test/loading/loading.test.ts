import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { rolldown } from 'rolldown'
import { fixture, PRELOAD, runProgram } from '../support/program.js'

const dist = dirname(PRELOAD)

describe('a tracer that was asked for before the preload', () => {
  it('records, as does one of a provider from then', async () => {
    const { stdout } = await runProgram(fixture('loading/early-main.cjs'), {
      node: ['--require', fixture('loading/early.cjs'), '--require', PRELOAD],
      env: { OTEL_TRACES_EXPORTER: 'file', THREADSPAN_FILE: '/dev/null' },
    })
    assert.deepEqual(JSON.parse(stdout), [true, true, true])
  })
})

describe('a Worker whose arguments end its options', () => {
  it('is followed, and sees the arguments that it was given', async () => {
    const program = fixture('loading/exec-argv.cjs')
    const [plain, traced] = await Promise.all([
      runProgram(program),
      runProgram(program, { node: ['--require', PRELOAD] }),
    ])
    const seen = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as [string[], boolean])
    assert.deepEqual(
      seen(traced.stdout).map(([execArgv]) => execArgv),
      seen(plain.stdout).map(([execArgv]) => execArgv),
    )
    assert.ok(seen(traced.stdout).every(([, isFollowed]) => isFollowed))
  })
})

describe('a Node that is too old', () => {
  const before = join(tmpdir(), `threadspan-old-${process.pid}.cjs`)
  const run = (env: Record<string, string>) => {
    // What such a Node lacks.
    writeFileSync(
      before,
      'delete process.getBuiltinModule; Object.getPrototypeOf(process).getBuiltinModule = undefined',
    )
    const code = 'console.log(JSON.stringify(process.env))'
    const result = spawnSync(process.execPath, ['-r', before, '-r', PRELOAD, '-e', code], {
      env,
      encoding: 'utf8',
    })
    rmSync(before)
    return result
  }

  it('says so where it was asked to, and goes on', () => {
    const { status, stderr } = run({})
    assert.equal(status, 0)
    assert.match(stderr, /THREADSPAN_NODE.*too old/)
  })

  it('runs without a word and with its own environment where a parent has added the preload', () => {
    const manifest = { TRACEPARENT: ['added', 'own'], THREADSPAN_LINK: ['/x', null], GONE: [1, 2] }
    const { stdout, stderr } = run({
      TRACEPARENT: 'added',
      THREADSPAN_LINK: '/x',
      OTHER: '1',
      THREADSPAN_ENVIRONMENT: JSON.stringify(manifest),
    })
    assert.deepEqual([JSON.parse(stdout), stderr], [{ TRACEPARENT: 'own', OTHER: '1' }, ''])
    assert.equal(run({ THREADSPAN_ENVIRONMENT: '{"A":null' }).stderr, '')
  })

  it('can parse what it is given', () => {
    const text = readFileSync(PRELOAD, 'utf8')
    assert.ok(text.length < 6000)
    assert.doesNotMatch(
      text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, ''),
      /\?\.|\?\?|#\w|&&=|\|\|=|static \{|\bat\(/,
    )
  })
})

describe('an application that was bundled', () => {
  for (const format of ['cjs', 'esm'] as const) {
    it(`as ${format}, finds the installed package’s files: spans arrive, errors keep their stack`, async (t) => {
      const folder = mkdtempSync(join(resolve('build'), 'bundled-'))
      t.after(() => rmSync(folder, { recursive: true }))
      const file = join(folder, format === 'cjs' ? 'app.cjs' : 'app.mjs')
      const bundle = await rolldown({
        input: fixture('loading/bundled.mjs'),
        platform: 'node',
        // What other bundlers leave of it in CommonJS: nothing.
        ...(format === 'cjs' && { transform: { define: { 'import.meta.url': 'undefined' } } }),
        external: [/^node:/, '@opentelemetry/api', 'async-hook-domain'],
        onLog: () => {},
      })
      // CommonJS has no `await` at the top.
      if (format === 'cjs') {
        const esm = await bundle.generate({ format: 'esm' })
        const inner = join(folder, 'inner.mjs')
        writeFileSync(inner, esm.output[0].code.replace(/^await (flush.*);$/m, '$1;'))
        const again = await rolldown({
          input: inner,
          platform: 'node',
          external: [/^node:/, '@opentelemetry/api', 'async-hook-domain'],
          onLog: () => {},
        })
        await again.write({ file, format })
      } else await bundle.write({ file, format })
      const spans = join(folder, 'spans.jsonl')
      const { code, stderr } = await runProgram(file, {
        env: { OTEL_TRACES_EXPORTER: 'file', THREADSPAN_FILE: spans },
      })
      assert.deepEqual([code, stderr], [0, ''])
      assert.match(readFileSync(spans, 'utf8'), /exception\.stacktrace/)
    })
  }

  it('says what to do where they are not installed', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'threadspan-bundled-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'app.mjs')
    const bundle = await rolldown({
      input: fixture('loading/bundled.mjs'),
      platform: 'node',
      external: [/^node:/],
      onLog: () => {},
    })
    await bundle.write({ file, format: 'esm' })
    const { code, stderr } = await runProgram(file)
    assert.equal(code, 1)
    assert.match(stderr, /THREADSPAN_BUNDLED/)
    assert.match(stderr, /mark `threadspan` as external/)
  })
})

describe('the CommonJS form', () => {
  it('has what the ES module has, and shares the state of the thread with it', async () => {
    const require = createRequire(import.meta.url)
    const common = require(join(dist, 'index.cjs')) as typeof import('../../src/index.js')
    const module = (await import(join(dist, 'index.js'))) as typeof import('../../src/index.js')
    assert.deepEqual(Object.keys(common).sort(), Object.keys(module).sort())
    const { AsyncLocalStorage } = await import('node:async_hooks')
    const storage = new AsyncLocalStorage<string>()
    const stop = common.propagate(storage, { name: 'shared' })
    const snapshot = storage.run('value', module.capture)
    assert.equal(
      snapshot.run(() => storage.getStore()),
      'value',
    )
    assert.throws(() => module.propagate(new AsyncLocalStorage(), { name: 'shared' }), {
      code: 'THREADSPAN_VALUE_NAME_TAKEN',
    })
    stop()
  })
})
