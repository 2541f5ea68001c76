import assert from 'node:assert/strict'
import { basename, dirname } from 'node:path'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { fixtures, type Outcome, preload, quotedPreload, run, runBoth } from './program.js'

/** Every Worker that was opened exists, found its own handoff in its own thread, and ended. */
function assertFollowed({ told }: Outcome): void {
  const of = (what: string) => told.filter((event) => event.what === what && event.kind !== 'child')
  const opened = of('open').map(({ id }) => id)
  assert.notEqual(opened.length, 0)
  const created = new Map(of('created').map((event) => [event.id, event['threadId']]))
  const received = new Map(of('handoff').map((event) => [event.id, event.thread]))
  for (const id of opened) {
    assert.equal(received.get(id), created.get(id), `handoff of ${id}`)
    assert.equal(of('ended').filter((event) => event.id === id).length, 1, `end of ${id}`)
  }
  assert.ok(of('handoff').every((event) => event['again'] === true))
}

const LEFT_ALONE = 3
const KINDS = 23
const NESTED = 4

function assertSame([plain, traced]: [Outcome, Outcome], { leftAlone = LEFT_ALONE } = {}): void {
  assert.equal(traced.stderr, plain.stderr)
  const expected = plain.stdout.split('\n')
  for (const [index, line] of traced.stdout.split('\n').entries()) assert.equal(line, expected[index])
  assert.deepEqual([traced.code, traced.signal], [plain.code, plain.signal])
  assert.equal(plain.stdout.split('\n').length, KINDS + 2)
  assertFollowed(traced)
  const opened = traced.told.filter(({ what }) => what === 'open')
  assert.equal(opened.length, KINDS + NESTED - leftAlone)
  assert.equal(new Set(opened.map(({ id }) => id)).size, opened.length)
}

describe('followWorkers', () => {
  it('reaches Workers of every kind, and none of them sees it', async () => {
    assertSame(await runBoth(['worker-kinds.cjs']))
  })

  it('does so beside arguments of the process, which a Worker may not be given', async () => {
    const flags = ['--expose-gc', '--no-warnings', '--stack-trace-limit=20']
    assertSame([
      await run([...flags, 'worker-kinds.cjs']),
      await run([...flags, '--require', preload, 'worker-kinds.cjs']),
    ])
  })

  it('does so where it came by NODE_OPTIONS', async () => {
    const nothing = JSON.stringify(`${fixtures}/nothing.cjs`)
    const started = (quoted: string) =>
      run(['worker-kinds.cjs'], { env: { NODE_OPTIONS: `--no-warnings --require ${quoted}` } })
    const inJson = (text: string) => JSON.stringify(text).slice(1, -1)
    const plain = await started(nothing)
    // The application's own NODE_OPTIONS stay as they were written.
    assertSame([
      { ...plain, stdout: plain.stdout.replaceAll(inJson(nothing), inJson(quotedPreload)) },
      await started(quotedPreload),
    ])
  })

  it('does so where it was named by a relative path and the program left that directory', async () => {
    const directory = dirname(preload)
    const program = `${fixtures}/worker-kinds.cjs`
    const flags = ['--expose-gc', '--no-warnings']
    const named = ['--require', `./${basename(preload)}`]
    assertSame([
      await run([...flags, program, '/'], { cwd: directory }),
      await run([...flags, ...named, program, '/'], { cwd: directory }),
    ])
  })

  it('does so where it was imported', async () => {
    const nothing = `${fixtures}/nothing.cjs`
    const plain = await run(['--import', pathToFileURL(nothing).href, 'worker-kinds.cjs'])
    const traced = await run(['--import', pathToFileURL(preload).href, 'worker-kinds.cjs'])
    assertFollowed(traced)
    const messages = (outcome: Outcome) =>
      outcome.stdout.split('\n').filter((line) => line.includes('"message":'))
    assert.equal(messages(traced).length, KINDS)
    assert.equal(messages(plain).length, KINDS)
  })

  it('does so where the program loaded it', async () => {
    assertSame([
      await run(['worker-kinds.cjs', '.', './nothing.cjs']),
      await run(['worker-kinds.cjs', '.', preload]),
    ])
  })

  it('tells how each thread ended, before the application hears of it, and changes nothing of what that hears', async () => {
    const [plain, traced] = await runBoth(['worker-ends.cjs'])
    assert.equal(traced.stdout, plain.stdout)
    assert.deepEqual([traced.code, traced.signal], [plain.code, plain.signal])
    assertFollowed(traced)
    const ends = traced.told.filter(({ what }) => what === 'ended')
    const read = ({ error, exitCode, terminated }: (typeof ends)[number]) => [exitCode, terminated, error]
    assert.deepEqual(ends.slice(0, 7).map(read), [
      [0, false, undefined],
      [3, false, undefined],
      [1, false, { name: 'TypeError', code: 'E_MINE', message: 'thrown' }],
      [1, false, undefined],
      [1, false, { name: 'RangeError', message: 'rejected' }],
      [1, true, undefined],
      [1, false, ends[6]!['error'] as object],
    ])
    const codes = ends.map(({ error }) => (error as { code?: string } | undefined)?.code)
    assert.deepEqual(codes.slice(6).sort(), [
      'ERR_WORKER_OUT_OF_MEMORY',
      'ERR_WORKER_OUT_OF_MEMORY',
      undefined,
    ])
    assert.ok(ends.slice(7).some(({ exitCode }) => exitCode === 7))
  })

  it('leaves the class and its errors as they are', async () => {
    const [plain, traced] = await runBoth(['worker-face.cjs'])
    assert.equal(traced.stdout, plain.stdout)
    assert.equal(traced.code, 0)
    const count = (what: string) => traced.told.filter((event) => event.what === what).length
    assert.ok(count('failed') > 0)
    assert.equal(count('open'), count('failed') + count('created'))
  })

  it('is seen by ES modules', async () => {
    const [plain, traced] = await runBoth(['worker-module.mjs'])
    assert.equal(plain.stdout, 'true true\ndepth 2\ndepth 1\ndepth 0\n')
    assert.equal(traced.stdout, plain.stdout)
    assertFollowed(traced)
    assert.equal(traced.told.filter(({ what }) => what === 'created').length, 3)
  })

  it('does without SharedArrayBuffer', async (test) => {
    const flag = '--no-harmony-sharedarraybuffer'
    if ((await run([flag, '-e', '0'])).code !== 0) return test.skip('this Node has no such option')
    const plain = await run([flag, 'worker-kinds.cjs'])
    const traced = await run([flag, '--require', preload, 'worker-kinds.cjs'])
    assert.equal(traced.stdout, plain.stdout)
    assert.equal(traced.told.filter(({ what }) => what === 'created').length, 0)
  })

  it('loads no builtin module into a Worker that it does not already have', async () => {
    const text = `
      const { Worker } = require('node:worker_threads')
      const list = 'require("node:worker_threads").parentPort.postMessage(process.moduleLoadList)'
      new Worker(list, { eval: true }).on('message', (message) => console.log(JSON.stringify(message)))`
    const lists = await runBoth(['-e', text])
    const [plain = new Set<string>(), traced = new Set<string>()] = lists.map(
      ({ stdout }) => new Set(JSON.parse(stdout) as string[]),
    )
    const added = [...traced].filter((name) => !plain.has(name))
    assert.deepEqual(
      added.filter((name) => /child_process|http|crypto|net$|stream$/.test(name)),
      [],
    )
  })
})
