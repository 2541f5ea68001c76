import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { lossesIn } from '../support/losses.js'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { type ReceivedSpan, Receiver } from '../support/receiver.js'

const folder = mkdtempSync(join(tmpdir(), 'threadspan test relay '))
after(() => rmSync(folder, { recursive: true, force: true }))

const program = fixture('deaths/program.cjs')

function own(spans: ReceivedSpan[]): ReceivedSpan[] {
  return spans.filter(({ scope }) => scope === 'app')
}

describe('delivery', { timeout: 120_000 }, () => {
  let receiver: Receiver
  before(async () => {
    receiver = await Receiver.start()
  })
  after(() => receiver.close())

  const traced = (env: Record<string, string> = {}) => ({
    node: ['--require', PRELOAD],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...env },
  })

  it('keeps in the spool what nobody takes, and sends it at the next start', async () => {
    receiver.spans.length = 0
    const spool = join(folder, 'spool')
    const nobody = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }
    const first = await runProgram(program, {
      ...traced({ ...nobody, THREADSPAN_SPOOL: spool }),
      args: ['work', 'natural', '300'],
    })
    assert.match(first.stderr, /301 spans are kept in .*spool \(THREADSPAN_SPOOLED\)/)
    assert.equal(lossesIn(first.stderr), undefined)
    assert.equal(readdirSync(spool).length, 1)
    await runProgram(program, { ...traced({ THREADSPAN_SPOOL: spool }), args: ['work', 'natural', '10'] })
    assert.equal(own(receiver.spans).length, 312)
    assert.equal(new Set(receiver.spans.map(({ spanId }) => spanId)).size, receiver.spans.length)
    assert.deepEqual(readdirSync(spool), [])
  })

  it('says what did not arrive, by cause', async () => {
    const { stderr, code } = await runProgram(program, {
      ...traced({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }),
      args: ['work', 'exit', '300'],
      timeout: 20_000,
    })
    assert.equal(code, 3)
    const found = lossesIn(stderr)
    assert.equal(found?.lost, 301)
    assert.equal(found.made, 301)
  })

  /** Four Workers, each as fast as it can. @returns What was lost, by cause. */
  async function overload(count: number, env: Record<string, string>) {
    receiver.spans.length = 0
    const { stderr, stdout } = await runProgram(fixture('relay/produce.cjs'), {
      ...traced({ OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2000', ...env }),
      args: ['4', String(count)],
      timeout: 60_000,
    })
    const { bytes, longest } = JSON.parse(stdout) as { bytes: number; longest: number }
    const found = lossesIn(stderr)
    assert.equal(own(receiver.spans).length + (found?.lost ?? 0), 4 * count, stderr)
    assert.equal(new Set(receiver.spans.map(({ spanId }) => spanId)).size, receiver.spans.length)
    assert.ok(bytes < 600e6, `${bytes} bytes`)
    // A full ring holds its thread up for a second in all; what is far beyond that is no back-pressure.
    assert.ok(longest < 5000, `${longest} ms for one span`)
    return found
  }

  it('accounts for every span when four Workers make them faster than they can be taken', async () => {
    const found = await overload(100_000, { OTEL_BSP_MAX_QUEUE_SIZE: '5000' })
    assert.ok((found?.causes['queue-full'] ?? 0) > 0, 'it was no overload')
  })

  it('does so when rings are small and nobody answers', async () => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo
    const found = await overload(50_000, {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_BSP_MAX_QUEUE_SIZE: '20000',
      THREADSPAN_RING_SIZE: '65536',
    })
    silent.closeAllConnections()
    silent.close()
    assert.equal(found?.lost, 200_000)
    assert.equal(receiver.spans.length, 0)
  })

  it('counts the losses of descendants', async () => {
    receiver.spans.length = 0
    // A queue that takes ten spans: the child's are refused by the parent's collector, and counted there.
    const { stderr } = await runProgram(program, {
      ...traced({ OTEL_BSP_MAX_QUEUE_SIZE: '10', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '10' }),
      args: ['child', 'natural', '500'],
    })
    const found = lossesIn(stderr)
    const arrived = receiver.spans.length
    assert.ok(found !== undefined && found.lost > 0, stderr)
    assert.equal(arrived + found.lost, found.made)
    assert.ok(found.made >= 501)
  })

  it('exports by itself where the disk of the link is full', async () => {
    receiver.spans.length = 0
    const script = join(folder, 'full.cjs')
    // A limit on the size of files stands for a full disk: a write that exceeds it is cut short, and the next one fails.
    const command = `ulimit -f 20; exec '${process.execPath}' '${program}' work natural 2000`
    writeFileSync(
      script,
      `require('node:child_process').spawn('/bin/sh', ['-c', ${JSON.stringify(command)}], { stdio: 'inherit' })`,
    )
    const { stderr } = await runProgram(script, traced())
    assert.equal(lossesIn(stderr), undefined)
    assert.equal(own(receiver.spans).length, 2001, stderr)
    assert.equal(new Set(receiver.spans.map(({ spanId }) => spanId)).size, receiver.spans.length)
  })

  describe('with a collector that fails', () => {
    async function survive(always: boolean) {
      receiver.spans.length = 0
      const dist = dirname(PRELOAD)
      const result = await runProgram(fixture('relay/survivor.mjs'), {
        args: [dist, fixture('relay/failing-collector.mjs')],
        env: {
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
          THREADSPAN_TEST_MARKER: join(folder, `failed-${always}`),
          THREADSPAN_TEST_ALWAYS: always ? 'yes' : 'no',
          THREADSPAN_TEST_COLLECTOR: join(dist, 'collector.cjs'),
        },
      })
      assert.equal(result.code, 0, result.stderr)
      return { ...result, ...(JSON.parse(result.stdout) as { made: number; burst: number }) }
    }

    it('goes on with another one, and knows what the first had taken', async () => {
      const { stderr, made } = await survive(false)
      const found = lossesIn(stderr)
      const arrived = own(receiver.spans)
      assert.equal(arrived.length + (found?.causes['collector'] ?? 0), made, stderr)
      assert.ok(arrived.length > made / 2)
    })

    it('drops spans after the second failure, and the application goes on', async () => {
      const { stderr, burst } = await survive(true)
      assert.match(stderr, /THREADSPAN_COLLECTOR/)
      assert.ok(burst < 1000, 'nothing waits for a collector that does not come')
    })
  })
})

describe('the folder of links', () => {
  let server: Server
  before(async () => {
    server = createServer((request, response) => request.resume().on('end', () => response.end()))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  after(() => server.close())

  it("is this user's alone, no link, and gone at the end", async () => {
    const script = join(folder, 'where.cjs')
    const show = `const { lstatSync } = require('node:fs'); setTimeout(() => {}, 300)`
    writeFileSync(
      script,
      `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(show)}])
      const { readdirSync, lstatSync } = require('node:fs'); const { tmpdir } = require('node:os'); const { join } = require('node:path')
      for (const name of readdirSync(tmpdir())) if (name.startsWith('threadspan-link-')) {
        const folder = join(tmpdir(), name); const stat = lstatSync(folder)
        console.log(JSON.stringify({ folder, mode: stat.mode & 0o777, isDirectory: stat.isDirectory() }))
      }`,
    )
    const temporary = mkdtempSync(join(folder, 'tmp '))
    const { stdout } = await runProgram(script, {
      node: ['--require', PRELOAD],
      env: {
        TMPDIR: temporary,
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      },
    })
    const found = JSON.parse(stdout) as { folder: string; mode: number; isDirectory: boolean }
    assert.deepEqual([found.mode, found.isDirectory], [0o700, true])
    assert.equal(existsSync(found.folder), false)
    assert.deepEqual(readdirSync(temporary), [])
  })
})
