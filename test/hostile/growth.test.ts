/** What a program takes of its machine does not grow with the time that it runs, and what is little suffices. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { dist } from '../support/dist.js'
import { lossesIn } from '../support/losses.js'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

describe('growth', { timeout: 180_000 }, () => {
  let receiver: Receiver
  let folder: string
  before(async () => {
    receiver = await Receiver.start()
    folder = mkdtempSync(join(tmpdir(), 'threadspan-growth-'))
  })
  after(() => {
    rmSync(folder, { recursive: true, force: true })
    return receiver.close()
  })
  beforeEach(() => {
    receiver.spans.length = 0
  })

  const program = fixture('hostile/growth.cjs')
  const run = (...args: string[]) =>
    runProgram(program, {
      node: ['--require', PRELOAD],
      args,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, TMPDIR: folder },
    })
  const own = () => receiver.spans.filter(({ scope }) => scope === 'app')

  /** By a shell that the limit is set in, as `ulimit` says it. */
  const limited = (limit: string, node: string[], ...args: string[]) => {
    const command = `ulimit ${limit}; exec '${process.execPath}' ${node.join(' ')} '${program}' ${args.join(' ')}`
    const shell = `const { status, stdout, stderr } = require('node:child_process').spawnSync('/bin/sh', ['-c', process.argv[1]])
      process.stdout.write(stdout); process.stderr.write(stderr); process.exitCode = status ?? 255`
    return runProgram('--eval', {
      args: [shell, command],
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, TMPDIR: folder },
    })
  }
  const preload = ['--require', `'${PRELOAD}'`]

  const COUNT = 20_000
  /** Each once, and the one that was open from before the first until behind the last. */
  const assertAll = (stderr: string) => {
    assert.equal(lossesIn(stderr), undefined, stderr)
    assert.equal(own().length, COUNT + 1, stderr)
    assert.equal(new Set(own().map(({ spanId }) => spanId)).size, COUNT + 1)
    return own().find(({ name }) => name.startsWith('open'))!
  }

  it('of the files of a child that lives stops at what was not delivered', async () => {
    const { stdout, stderr } = await run('long', String(COUNT))
    const { bytes } = JSON.parse(stdout) as { bytes: number }
    assert.ok(bytes < 1.5 * 1024 * 1024, stdout)
    assert.equal(assertAll(stderr).status.code, 0)
  })

  it('that was cut off loses no open span of a child that is killed', async () => {
    const { stderr } = await run('killed', String(COUNT))
    const { status } = assertAll(stderr)
    assert.deepEqual(status, { code: 2, message: 'process killed by SIGKILL' })
  })

  it('that was cut off loses no open span to the heir of a parent that is killed', async () => {
    await run('orphaned', String(COUNT))
    // What the parent had delivered and could not note any more may come again.
    for (;;) {
      const ids = new Set(own().map(({ spanId }) => spanId))
      if (ids.size === COUNT + 1) break
      await new Promise((done) => setTimeout(done, 50))
    }
    const { status } = own().find(({ name }) => name.startsWith('open'))!
    assert.equal(status.code, 2)
    assert.match(status.message, /^process exited with code 0$/)
  })

  it('of what a child measures stops, and its sums hold', async () => {
    receiver.metrics.length = 0
    const { stdout, stderr } = await runProgram(program, {
      node: ['--require', PRELOAD],
      args: ['measures'],
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        TMPDIR: folder,
        OTEL_METRICS_EXPORTER: 'otlp',
        OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'host-metrics,runtime-node',
      },
    })
    // Cumulative: the last export has it all.
    const last = receiver.metrics.filter((points) => points.some(({ name }) => name === 'turns')).at(-1)!
    const points = last.filter(({ name }) => name === 'turns')
    assert.equal(points.length, 1000)
    assert.equal(
      points.reduce((sum, { value }) => sum + value, 0),
      Number(stdout),
      stderr,
    )
  })

  it('of Workers in a child leaves neither files nor descriptors', async () => {
    const { stdout, stderr } = await run('workers', '40')
    assert.ok((JSON.parse(stdout) as { files: number }).files <= 3, stdout)
    assert.equal(lossesIn(stderr), undefined, stderr)
    assert.equal(own().length, 40, stderr)
  })

  it('of children over IPC takes no descriptor for each', async () => {
    const bare = await limited('-n 66', [], 'descriptors', '20')
    assert.equal(bare.stdout.trim(), '3', bare.stderr)
    const { code, stdout, stderr } = await limited('-n 66', preload, 'descriptors', '20')
    assert.equal(code, 0, stderr)
    assert.equal(stdout.trim(), '3', stderr)
    assert.equal(lossesIn(stderr), undefined, stderr)
    assert.equal(own().length, 20, stderr)
  })

  it('of address space ends no program that a limit leaves little of it', async (t) => {
    if (process.platform !== 'linux') {
      t.diagnostic('the system does not tell how much is in use')
      return
    }
    const { stdout } = await limited('-v unlimited', [], 'space')
    for (const megabytes of [40, 120, 300, 500, 900]) {
      receiver.spans.length = 0
      const limit = `-v ${Number(stdout) + megabytes * 1024}`
      const bare = await limited(limit, [], 'space')
      assert.equal(bare.code, 0, bare.stderr)
      const { code, stderr } = await limited(limit, preload, 'space')
      assert.equal(code, 0, `${limit}: ${stderr}`)
      assert.equal(own().length + (lossesIn(stderr)?.lost ?? 0), 10, `${limit}: ${stderr}`)
    }
  })

  it('of memory does not follow from one thread after the other', () => {
    const module = (path: string) => JSON.stringify(dist(path))
    // Each thread touches a little of what it has; the next one gets what is left of one that is gone.
    const script = `const { ThreadRelay } = await import(${module('runtime/thread-relay.js')})
      const { RingReader } = await import(${module('ring/reader.js')})
      class Relay extends ThreadRelay {
        announce() {}
      }
      const relay = new Relay({ thread: 0, ringSize: 4 * 1024 * 1024, control: new SharedArrayBuffer(65536) })
      const alive = []
      const rss = () => process.memoryUsage.rss() / 1048576
      const before = rss()
      let most = 0
      for (let i = 0; i < 200; i++) {
        const gone = alive[i % 8]
        if (gone !== undefined) {
          new RingReader(gone.memory).dispose()
          relay.threadEnded(gone, 'over')
        }
        alive[i % 8] = relay.openThread()
        new Int32Array(alive[i % 8].memory.buffer).fill(1, 1024, 2048)
        gc()
        most = Math.max(most, rss() - before)
      }
      console.log(most)`
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--expose-gc', '--input-type=module', '--eval', script],
      { encoding: 'utf8' },
    )
    assert.match(stdout, /^\d/, stderr)
    assert.ok(Number(stdout) < 24, `${stdout} MiB more: ${stderr}`)
  })

  it('of memory of threads that have measured in a child ends with each', () => {
    const module = (path: string) => JSON.stringify(dist(path))
    const script = `const { CellReader, CellWriter } = await import(${module('metrics/cells.js')})
      const { CellLink } = await import(${module('link/cells.js')})
      const { LinkWriter } = await import(${module('link/writer.js')})
      const file = new LinkWriter(process.argv[1], 'measures', new Uint8Array(0))
      const link = new CellLink()
      const blocks = []
      for (let thread = 1; thread <= 10; thread++) {
        const reader = new CellReader()
        const writer = new CellWriter((block, index) => {
          blocks.push(new WeakRef(block))
          reader.add(block, index)
        })
        writer.series(writer.instrument({ name: 'turns' }), new Uint8Array(0), [thread])
        link.add(thread, reader)
        link.write(file)
        link.remove(thread)
      }
      await new Promise(setImmediate)
      gc()
      const before = file.size
      link.writeAll(file)
      console.log(blocks.length, blocks.filter((ref) => ref.deref()).length <= 1, file.size > before)`
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--expose-gc', '--input-type=module', '--eval', script, folder],
      { encoding: 'utf8' },
    )
    assert.equal(stdout.trim(), '10 true true', stderr)
  })
})
