import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'

function folder(t: TestContext, prefix = 'threadspan-hostile-'): string {
  const path = mkdtempSync(join(tmpdir(), prefix))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A program that makes spans and a child, with what somebody else has put into its environment. */
const run = (env: Record<string, string>, cwd?: string) =>
  runProgram(fixture('hostile/environment.cjs'), {
    node: ['--require', PRELOAD],
    env: { OTEL_TRACES_EXPORTER: 'file', THREADSPAN_FILE: '/dev/null', ...env },
    ...(cwd !== undefined && { cwd }),
  })

describe('whoever sets the environment', () => {
  it('has no folder of the user’s claimed, written to, emptied or removed', async (t) => {
    for (const name of ['.ssh', 'threadspan-link-abc123', 'threadspan-doctor-abc123']) {
      const path = join(folder(t), name)
      mkdirSync(path, { mode: 0o700 })
      for (const file of ['id_rsa', 'known.link', 'owner-x']) writeFileSync(join(path, file), file)
      const { code, stderr } = await run({ THREADSPAN_LINK: path, THREADSPAN_DOCTOR: `program:${path}` })
      assert.deepEqual([code, stderr], [0, ''])
      // Also where it is taken for what a descendant was told by its parent.
      const manifest = JSON.stringify({
        THREADSPAN_LINK: [path, null],
        THREADSPAN_DOCTOR: [`program:${path}`, null],
      })
      await run({
        THREADSPAN_LINK: path,
        THREADSPAN_DOCTOR: `program:${path}`,
        THREADSPAN_ENVIRONMENT: manifest,
      })
      assert.deepEqual(readdirSync(path).sort(), ['id_rsa', 'known.link', 'owner-x'], name)
      for (const file of readdirSync(path)) assert.equal(readFileSync(join(path, file), 'utf8'), file)
    }
  })

  it('has nothing but what is ours taken out of a folder that may be ours', async (t) => {
    const path = folder(t, 'threadspan-link-')
    chmodSync(path, 0o700)
    writeFileSync(join(path, 'owner-0'), '1 0\n', { mode: 0o600 })
    writeFileSync(join(path, 'thesis.txt'), 'text')
    const manifest = JSON.stringify({ THREADSPAN_LINK: [path, null] })
    await run({ THREADSPAN_LINK: path, THREADSPAN_ENVIRONMENT: manifest })
    assert.equal(readFileSync(join(path, 'thesis.txt'), 'utf8'), 'text')
  })

  it('has no other variables changed, nor options of Node’s brought in by the back door', async (t) => {
    const path = folder(t)
    const evil = join(path, 'evil.cjs')
    writeFileSync(evil, `require('node:fs').writeFileSync(${JSON.stringify(join(path, 'ran'))}, '')`)
    const bin = process.env['PATH']!
    const options = `--require "${PRELOAD}"`
    for (const [manifest, NODE_OPTIONS] of [
      [{ PATH: [bin, '/tmp/evil-bin'] }, ''],
      [{ NODE_OPTIONS: [options, `--require ${evil}`] }, options],
      [{ NODE_OPTIONS: [options, `--require ${evil} ${options}`] }, options],
      [{ LD_PRELOAD: ['', evil], TRACEPARENT: ['', null] }, ''],
    ] as const) {
      const { code, stdout, stderr } = await run({
        THREADSPAN_ENVIRONMENT: JSON.stringify(manifest),
        ...(NODE_OPTIONS !== '' && { NODE_OPTIONS }),
      })
      assert.deepEqual([code, stderr], [0, ''])
      const seen = JSON.parse(stdout) as { PATH: string; NODE_OPTIONS?: string; LD_PRELOAD?: string }[]
      for (const env of seen) {
        assert.equal(env.PATH, bin)
        assert.doesNotMatch(`${env.NODE_OPTIONS} ${env.LD_PRELOAD}`, /evil/)
      }
      assert.ok(!existsSync(join(path, 'ran')))
    }
  })

  it('has no code run from the working directory', async (t) => {
    const path = folder(t)
    const evil = join(path, 'node_modules/@opentelemetry/propagator-b3')
    mkdirSync(evil, { recursive: true })
    writeFileSync(
      join(evil, 'index.js'),
      `require('node:fs').writeFileSync(${JSON.stringify(join(path, 'ran'))}, '')`,
    )
    // A program that has no such package of its own.
    const app = folder(t)
    const program = join(app, 'app.cjs')
    writeFileSync(program, 'console.log("ran")')
    const { stdout } = await runProgram(program, {
      node: ['--require', PRELOAD],
      env: { OTEL_PROPAGATORS: 'b3', OTEL_TRACES_EXPORTER: 'none' },
      cwd: path,
    })
    assert.equal(stdout, 'ran\n')
    assert.ok(!existsSync(join(path, 'ran')), basename(evil))
  })
})
