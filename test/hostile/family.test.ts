/** Descendants that the process that exports cannot reach: nothing is lost without a word, and nothing comes twice. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { lossesIn } from '../support/losses.js'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

describe('descendants', { timeout: 60_000 }, () => {
  let receiver: Receiver
  before(async () => {
    receiver = await Receiver.start()
  })
  after(() => receiver.close())
  beforeEach(() => {
    receiver.spans.length = 0
  })

  const program = fixture('hostile/family.cjs')
  const env = () => ({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, PRELOAD })
  const own = () => receiver.spans.filter(({ scope }) => scope === 'app').length

  it('of a program at its limit of descriptors are read at its end', async () => {
    const command = `ulimit -n 128; exec '${process.execPath}' --require '${PRELOAD}' '${program}' descriptors`
    const shell = `require('node:child_process').spawnSync('/bin/sh', ['-c', process.argv[1]], { stdio: 'inherit' })`
    const { stderr } = await runProgram('--eval', { args: [shell, command], env: env() })
    assert.equal(own(), 41, stderr)
    assert.equal(lossesIn(stderr), undefined)
  })

  it('of a program that has become another user are told of', async (t) => {
    if (process.getuid?.() !== 0) {
      t.diagnostic('only root can become another user')
      return
    }
    // Where that user can read it.
    const folder = mkdtempSync(join(tmpdir(), 'threadspan-user-'))
    try {
      chmodSync(folder, 0o755)
      cpSync(dirname(PRELOAD), join(folder, 'dist'), { recursive: true })
      cpSync(program, join(folder, 'family.cjs'))
      symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
      const { stderr } = await runProgram(join(folder, 'family.cjs'), {
        node: ['--require', join(folder, 'dist/register.cjs')],
        args: ['user', '65534'],
        env: env(),
      })
      const lost = lossesIn(stderr)?.causes['unread'] ?? 0
      assert.ok(own() === 12 || lost > 0, `${own()} arrived: ${stderr}`)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  for (const options of [
    ['-pf', '--kill-child'],
    ['-pf', '--mount-proc', '--kill-child'],
  ])
    it(`in a pid namespace of their own (unshare ${options.join(' ')}) come once`, async (t) => {
      const rights = process.getuid?.() === 0 ? [] : ['-Ur']
      if (spawnSync('unshare', [...rights, ...options, 'true']).status !== 0) {
        t.diagnostic('no pid namespace can be made here')
        return
      }
      const { stderr } = await runProgram(program, {
        node: ['--require', PRELOAD],
        args: ['namespace', ...rights, ...options],
        env: env(),
      })
      assert.equal(own(), 11, stderr)
      assert.equal(new Set(receiver.spans.map(({ spanId }) => spanId)).size, receiver.spans.length)
    })
})
