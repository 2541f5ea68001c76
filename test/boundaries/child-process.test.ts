import assert from 'node:assert/strict'
import { basename, dirname } from 'node:path'
import { describe, it } from 'node:test'
import { fixtures, type Outcome, preload, quotedPreload, run, runBoth, type Told } from './program.js'

const ofChildren = ({ told }: Outcome, what: string): Told[] =>
  told.filter((event) => event.what === what && (event.kind === 'child' || what === 'environment'))

function assertSame([plain, traced]: [Outcome, Outcome]): void {
  assert.equal(traced.stderr, plain.stderr)
  const expected = plain.stdout.split('\n')
  for (const [index, line] of traced.stdout.split('\n').entries()) assert.equal(line, expected[index])
  assert.deepEqual([traced.code, traced.signal], [plain.code, plain.signal])
}

describe('followChildren', () => {
  it('reaches children of every kind, and neither they nor their parent see it', async () => {
    const outcomes = await runBoth(['child-kinds.cjs'])
    assertSame(outcomes)
    const [, traced] = outcomes
    const opened = ofChildren(traced, 'open').filter(({ pid }) => pid === traced.told[0]!.pid)
    assert.equal(opened.length, 26)

    // Each Node child got the variables meant for it, once, but for the one that was left alone.
    const taken = ofChildren(traced, 'environment').map(
      ({ environment }) => environment as Record<string, string>,
    )
    const received = taken.map(({ THREADSPAN_TEST }) => THREADSPAN_TEST).filter((id) => id !== undefined)
    assert.equal(new Set(received).size, received.length)
    // One is ended by a timeout, sooner than it loads anything where the machine is slow.
    const timedOut = opened.find(
      ({ args }) => String(args).includes('9999') && !String(args).includes('log'),
    )?.id
    assert.equal(received.filter((id) => Number(id) !== timedOut).length, 20)
    const headers = taken.map(({ TRACEPARENT }) => TRACEPARENT).filter((value) => value !== undefined)
    // A shell that sets the variable for its child is nearer to it than we are.
    assert.deepEqual(
      headers.filter((value) => !value.startsWith('00-')),
      ['mine'],
    )
  })

  it('tells of each child once how it ended', async () => {
    const traced = await run(['--require', preload, 'child-kinds.cjs'])
    const main = traced.told[0]!.pid
    const opened = ofChildren(traced, 'open').filter(({ pid }) => pid === main)
    const ended = ofChildren(traced, 'ended').filter(({ pid }) => pid === main)
    const read = ({ error, exitCode, signal }: Told) => [
      exitCode,
      signal,
      (error as { code?: string } | undefined)?.code,
    ]
    const byId = new Map(ended.map((event) => [event.id, read(event)]))
    assert.equal(ended.length, opened.length)
    assert.equal(byId.size, opened.length)
    const ok = [0, null, undefined]
    assert.deepEqual(
      opened.map(({ id }) => byId.get(id)),
      [
        ok, // fork
        ok,
        ok,
        ok, // spawn
        ok,
        ok,
        ok,
        ok,
        ok,
        [null, 'SIGKILL', undefined],
        [5, null, undefined],
        [null, null, 'ENOENT'],
        [null, 'SIGTERM', undefined], // aborted
        ok, // exec
        ok, // execFile
        ok, // spawnSync
        ok,
        ok,
        [null, null, 'ENOENT'],
        [null, 'SIGTERM', 'ETIMEDOUT'],
        ok, // execFileSync
        [4, null, undefined],
        [null, null, 'ENOENT'],
        ok, // execSync
        [3, null, undefined],
        ok,
      ],
    )
    const started = new Set(ofChildren(traced, 'started').map(({ id }) => id))
    for (const { id, sync } of opened) {
      if (!sync) assert.equal(started.has(id), byId.get(id)?.[2] !== 'ENOENT')
    }
  })

  it('tells what is executed alike for both kinds of call', async () => {
    const text = `
      const cp = require('node:child_process')
      cp.execSync('exit 0')
      cp.spawnSync('exit', ['0'], { shell: true })
      cp.spawnSync('true', ['a'])
      cp.exec('exit 0')
      cp.spawn('exit', ['0'], { shell: true })
      cp.spawn('true', ['a'])`
    const opened = ofChildren(await run(['--require', preload, '-e', text]), 'open')
    const read = (of: Told[]) => of.map(({ args, file }) => [file, args])
    assert.deepEqual(read(opened.slice(0, 3)), read(opened.slice(3)))
    assert.deepEqual(
      opened.map(({ sync }) => sync),
      [true, true, true, false, false, false],
    )
  })

  it('does so where it was named by a relative path and the children start elsewhere', async () => {
    const cwd = dirname(preload)
    const program = `${fixtures}/child-kinds.cjs`
    const named = `./${basename(preload)}`
    const traced = await run(['--require', named, program, '/'], { cwd })
    assertSame([await run([program, '/'], { cwd }), traced])
    const nothing = JSON.stringify(`${fixtures}/nothing.cjs`)
    const inherited = await run([program, '/'], { cwd, env: { NODE_OPTIONS: `--no-warnings -r ${named}` } })
    const plain = await run([program, '/'], { cwd, env: { NODE_OPTIONS: `--no-warnings -r ${nothing}` } })
    const written = plain.stdout.replaceAll(/-r \\*"[^"]*nothing\.cjs\\*"/g, `-r ${named}`)
    const alike = (text: string) => text.split('\n').filter((line) => !line.includes('left alone'))
    assert.deepEqual(alike(inherited.stdout), alike(written))
  })

  it('leaves the functions, their errors and their options as they are', async () => {
    const outcomes = await runBoth(['child-face.cjs'])
    assertSame(outcomes)
    const [, traced] = outcomes
    assert.equal(ofChildren(traced, 'ended').length, ofChildren(traced, 'open').length)
  })

  it('is there before the first child of an ES module, in a main thread and in a Worker', async () => {
    const outcomes = await runBoth(['child-module.mjs'])
    assertSame(outcomes)
    const opened = ofChildren(outcomes[1], 'open').filter(({ sync }) => sync)
    assert.deepEqual(
      opened.map(({ thread }) => thread),
      [0, 0, 1, 1],
    )
  })

  it('is there for who goes past the loaders', async () => {
    const outcomes = await runBoth(['child-builtin.cjs'])
    assertSame(outcomes)
    assert.equal(ofChildren(outcomes[1], 'ended').length, 1)
  })

  it('loads the module no sooner than the application does', async () => {
    const outcomes = await runBoth(['child-unloaded.cjs'])
    const [plain = [], traced = []] = outcomes.map(({ stdout }) => stdout.split('\n'))
    assert.equal(traced[0], 'before false')
    assert.deepEqual(traced.slice(0, 2), plain.slice(0, 2))
    assert.equal(traced[2], 'waits false false false')
  })

  it('goes through a process that is not Node', async () => {
    const text = `require('node:child_process').execSync('node -p 1 && sh -c "node -p 2"')`
    const { told } = await run(['--require', preload, '-e', text])
    const environments = told.filter(({ what }) => what === 'environment').slice(1)
    assert.equal(environments.length, 2)
    for (const { environment } of environments) {
      assert.match((environment as { TRACEPARENT: string }).TRACEPARENT, /^00-0af76519/)
    }
  })

  it('does not end children under the permission model, which may not read the preload', async () => {
    const flag = ['--permission', '--experimental-permission'].find((name) =>
      process.allowedNodeEnvironmentFlags.has(name),
    )
    const text = `
      const cp = require('node:child_process')
      const args = ['${flag}', '-p', '1 + 1']
      console.log(String(cp.spawnSync(process.execPath, args).stdout), String(cp.execFileSync(process.execPath, args)))
      console.log(String(cp.execSync('"' + process.execPath + '" ${flag} -p 2', { env: { NODE_OPTIONS: '--no-warnings' } })))
      cp.spawn(process.execPath, args, { stdio: 'inherit' })
      cp.spawn(process.execPath, ['-p', '4'], { stdio: 'inherit', env: { NODE_OPTIONS: '${flag}' } })`
    const [plain, traced] = await runBoth(['--no-warnings', '-e', text])
    assert.match(plain.stdout, /2\n 2\n\n2\n/)
    const lines = ({ stdout }: Outcome) => stdout.split('\n').sort()
    assert.deepEqual([lines(traced), traced.code], [lines(plain), plain.code])
  })

  it('ignores a list of variables that is none', async () => {
    for (const list of [
      '',
      '{',
      '[]',
      '7',
      'null',
      '{"PATH":1}',
      '{"PATH":["x"]}',
      '{"PATH":["x",{}]}',
      '{"__proto__":["x",null]}',
    ]) {
      const text = 'console.log(process.env.PATH?.length > 0, process.env.THREADSPAN_ENVIRONMENT)'
      const { code, stdout } = await run(['--require', preload, '-e', text], {
        env: { THREADSPAN_ENVIRONMENT: list },
      })
      assert.deepEqual([stdout, code], ['true undefined\n', 0], list)
    }
  })

  it('leaves NODE_OPTIONS that Node refuses to Node', async () => {
    const text = `
      const { spawnSync } = require('node:child_process')
      for (const NODE_OPTIONS of ['"', '--title=x', '--require', '"\\\\\\\\', '--nonsense'])
        console.log(String(spawnSync(process.execPath, ['-p', '1'], { env: { NODE_OPTIONS } }).stderr))`
    assertSame(await runBoth(['-e', text]))
    assert.match(quotedPreload, /^"/)
  })
})
