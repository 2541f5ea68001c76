/** A spool whose files were damaged, whose processes are in containers of their own, or still run. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { lossesIn } from '../support/losses.js'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

const folder = mkdtempSync(join(tmpdir(), 'threadspan test spool '))
after(() => rmSync(folder, { recursive: true, force: true }))

const program = fixture('hostile/spans.cjs')
const NOWHERE = 'http://127.0.0.1:9'

describe('a spool', { timeout: 120_000 }, () => {
  let receiver: Receiver
  let silent: Server
  let spool: string
  before(async () => {
    receiver = await Receiver.start()
    silent = createServer()
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  })
  after(async () => {
    silent.close()
    await receiver.close()
  })
  beforeEach(() => {
    receiver.spans.length = 0
    spool = mkdtempSync(join(folder, 's'))
  })

  const run = (endpoint: string, ...args: string[]) =>
    runProgram(program, {
      node: ['--require', PRELOAD],
      args,
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
        THREADSPAN_SPOOL: spool,
        THREADSPAN_EXIT_TIMEOUT: '1000',
      },
    })

  /** Leaves 301 spans. @returns The one file that holds them. */
  async function leave(): Promise<string> {
    const { stderr } = await run(NOWHERE, '300')
    assert.match(stderr, /301 spans are kept/)
    const files = readdirSync(spool)
    assert.equal(files.length, 1, files.join())
    return join(spool, files[0]!)
  }

  /** A start of which everything must arrive but `lost` of what was there before, which is told. */
  async function assertDelivered(lost: number) {
    const { stderr } = await run(receiver.endpoint, '10')
    assert.equal(lossesIn(stderr)?.causes['corrupt'] ?? 0, lost, stderr)
    assert.equal(receiver.spans.length, 301 - lost + 11)
    assert.equal(new Set(receiver.spans.map(({ spanId }) => spanId)).size, receiver.spans.length)
    assert.deepEqual(readdirSync(spool), [])
  }

  it('that was cut off tells how many spans are missing', async () => {
    const file = await leave()
    truncateSync(file, readFileSync(file).length >> 1)
    const { stderr } = await run(receiver.endpoint, '10')
    const lost = lossesIn(stderr)?.causes['corrupt'] ?? 0
    assert.ok(lost > 100 && lost < 301, stderr)
    assert.equal(receiver.spans.length, 301 - lost + 11)
    assert.deepEqual(readdirSync(spool), [])
  })

  it('loses one span to a changed byte of it, whichever it is', async () => {
    const whole = readFileSync(await leave())
    const at = whole.indexOf('span 123')
    // Its name, its tag, its length.
    const record = whole.lastIndexOf(Buffer.from([0x50, 0x80, 0x00, 0x41]), at) - 4
    for (const place of [at, record, record + 1]) {
      receiver.spans.length = 0
      const damaged = Buffer.from(whole)
      damaged[place]! ^= 0xff
      writeFileSync(join(spool, '1-damaged-of-301.spool'), damaged)
      for (const file of readdirSync(spool)) if (!file.includes('damaged')) rmSync(join(spool, file))
      await assertDelivered(1)
    }
  })

  it('survives any changed byte, and tells what it took', async () => {
    const whole = readFileSync(await leave())
    for (const place of [0, 5, 17, 40, 60, 200, whole.length - 3]) {
      for (const file of readdirSync(spool)) rmSync(join(spool, file))
      receiver.spans.length = 0
      const damaged = Buffer.from(whole)
      damaged[place]! ^= 0x15
      writeFileSync(join(spool, '1-damaged-of-301.spool'), damaged)
      const { stderr } = await run(receiver.endpoint, '10')
      const lost = lossesIn(stderr)?.lost ?? 0
      const isForeign = readdirSync(spool).length > 0
      assert.ok(
        isForeign || receiver.spans.length + lost >= 312,
        `${place}: ${receiver.spans.length} ${stderr}`,
      )
      assert.equal(receiver.named('span 3').length > 0, true, 'those of the process itself')
    }
  })

  it('is delivered by the next start after a kill, with what was open', async () => {
    const { port } = silent.address() as { port: number }
    const child = spawn(process.execPath, ['--require', PRELOAD, program, '50', '100000'], {
      env: {
        ...process.env,
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
        THREADSPAN_SPOOL: spool,
      },
    })
    const end = once(child, 'exit')
    while (
      !readdirSync(spool).some(
        (file) => /\.spool/.test(file) && readFileSync(join(spool, file)).includes('open'),
      )
    )
      await new Promise((done) => setTimeout(done, 5))
    // It has it still, and a second process leaves it alone.
    await run(receiver.endpoint, '1')
    assert.equal(receiver.spans.length, 2)
    child.kill('SIGKILL')
    await end
    await run(receiver.endpoint, '1')
    assert.equal(receiver.spans.length, 2 + 51 + 2)
    assert.deepEqual(readdirSync(spool), [])
    const [killed] = receiver.named('open').filter(({ status }) => status.message === 'process is gone')
    assert.ok(killed !== undefined && killed.end >= killed.start)
  })

  it('is shared by containers, whose processes all have the number 1', async (t) => {
    const namespace = ['unshare', ...(process.getuid?.() === 0 ? [] : ['-Ur']), '-pf', '--kill-child']
    if (spawnSync(namespace[0]!, [...namespace.slice(1), 'true']).status !== 0) {
      t.diagnostic('no pid namespace can be made here')
      return
    }
    const { port } = silent.address() as { port: number }
    const inside = (endpoint: string, ...args: string[]) =>
      spawn(
        namespace[0]!,
        [...namespace.slice(1), process.execPath, '--require', PRELOAD, program, ...args],
        {
          env: {
            ...process.env,
            OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
            THREADSPAN_SPOOL: spool,
            THREADSPAN_EXIT_TIMEOUT: '1000',
          },
          stdio: 'ignore',
        },
      )
    await once(inside(NOWHERE, '10'), 'exit')
    const taking = inside(`http://127.0.0.1:${port}`, '10', '100000')
    const end = once(taking, 'exit')
    const isTaken = () => readdirSync(spool).filter((file) => file.includes('.taken-1-')).length === 2
    while (!isTaken()) await new Promise((done) => setTimeout(done, 5))
    // What it has is not sent by another one.
    await once(inside(receiver.endpoint, '10'), 'exit')
    assert.equal(receiver.spans.length, 11)
    taking.kill('SIGKILL')
    await end
    await once(inside(receiver.endpoint, '10'), 'exit')
    assert.equal(receiver.spans.length, 4 * 11)
    assert.equal(new Set(receiver.spans.map(({ spanId }) => spanId)).size, receiver.spans.length)
    assert.deepEqual(readdirSync(spool), [])
  })
})
