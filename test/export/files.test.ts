import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { consoleExporter } from '#dist/export/console.js'
import { createExporter } from '#dist/export/create.js'
import { fanOut } from '#dist/export/fan-out.js'

import { FileExporter } from '#dist/export/file.js'
import { waterfallExporter } from '#dist/export/waterfall-exporter.js'
import { tracesFromJson } from '#dist/otlp/json.js'
import type { Exporter } from '../../src/export/exporter.js'
import { dist } from '../support/dist.js'
import { batch, freePort, journal, otlpConfig, receiver, soon, TRACE_ID } from './support.js'

const folder = mkdtempSync(join(tmpdir(), 'threadspan-export-'))
after(() => rmSync(folder, { recursive: true }))

/** The names of the spans of each line; throws where a line is no JSON. */
function lines(path: string): string[][] {
  const text = readFileSync(path, 'utf8')
  assert.ok(text.endsWith('\n'))
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) =>
      tracesFromJson(JSON.parse(line)).resourceSpans.flatMap(({ scopeSpans }) =>
        scopeSpans.flatMap(({ spans }) => spans.map(({ name }) => name)),
      ),
    )
}

describe('the file exporter', () => {
  it('appends whole lines of OTLP JSON, for the owner only', async () => {
    const path = join(folder, 'a', 'b', 'spans.jsonl')
    const { log } = journal()
    const exporter = new FileExporter(path, log)
    const results = await Promise.all([exporter.export([batch(2)]), exporter.export([batch(1, 0, 3)])])
    assert.deepEqual(
      results.map(({ delivered }) => delivered),
      [2, 1],
    )
    assert.deepEqual(lines(path), [['span 1', 'span 2'], ['span 3']])
    if (process.platform !== 'win32') assert.equal(statSync(path).mode & 0o777, 0o600)
    await exporter.close()
    assert.deepEqual((await exporter.export([batch(1)])).dropped, new Map([['closed', 1]]))
  })

  it('makes no file without spans, and a new one when it was moved away', async () => {
    const path = join(folder, 'moved.jsonl')
    const exporter = new FileExporter(path, journal().log)
    await exporter.export([])
    assert.equal(existsSync(path), false)
    await exporter.export([batch(1)])
    renameSync(path, `${path}.1`)
    await exporter.export([batch(2)])
    assert.equal(lines(path).flat().length, 2)
    assert.equal(lines(`${path}.1`).flat().length, 1)
  })

  it('starts a line of its own after one that was torn', async () => {
    const path = join(folder, 'torn.jsonl')
    writeFileSync(path, '{"resourceSpans":[{"res')
    await new FileExporter(path, journal().log).export([batch(1)])
    const [torn, whole] = readFileSync(path, 'utf8').split('\n')
    assert.equal(torn, '{"resourceSpans":[{"res')
    assert.deepEqual(Object.keys(JSON.parse(whole!)), ['resourceSpans'])
  })

  it('cuts what is too long for one line', async () => {
    const path = join(folder, 'long.jsonl')
    const result = await new FileExporter(path, journal().log).export([batch(30, 100_000)])
    assert.equal(result.delivered, 30)
    assert.equal(lines(path).length, 3)
    assert.equal(lines(path).flat().length, 30)
  })

  it('counts what cannot be written, and tells it once', { skip: !existsSync('/dev/full') }, async () => {
    const { log, lines } = journal()
    const exporter = new FileExporter('/dev/full', log)
    for (let i = 0; i < 2; i++) {
      assert.deepEqual(await exporter.export([batch(2)]), { delivered: 0, dropped: new Map([['file', 2]]) })
    }
    assert.equal(lines.length, 1)
    assert.match(lines[0]!, /^warn THREADSPAN_EXPORT_FILE \/dev\/full cannot be written: .*ENOSPC/)
  })

  it('takes back the part of a line for which there was no room', {
    skip: process.platform !== 'linux',
  }, () => {
    const path = join(folder, 'limited.jsonl')
    const program = `
      process.on('SIGXFSZ', () => {})
      const { FileExporter } = await import(${JSON.stringify(dist('export/file.js'))})
      const { encodeResource, encodeScope } = await import(${JSON.stringify(dist('otlp/encode.js'))})
      const chunk = Buffer.from(${JSON.stringify(Buffer.from(batch(6, 1000).scopes[0]!.chunks[0]!).toString('base64'))}, 'base64')
      const scopes = [{ scope: encodeScope('s'), schemaUrl: '', chunks: [chunk], count: 3 }]
      const exporter = new FileExporter(${JSON.stringify(path)}, () => {})
      for (let i = 0; i < 3; i++) {
        const { delivered } = await exporter.export([{ resource: encodeResource({}), scopes, count: 3, bytes: chunk.length }])
        console.log(delivered)
      }`
    // The shell's limit of file sizes is in units of 1024 (bash) or 512 bytes: one line fits, two do not.
    const { stdout, stderr } = spawnSync(
      'bash',
      ['-c', 'ulimit -f 6; exec "$0" --input-type=module -e "$1"', process.execPath, program],
      { encoding: 'utf8' },
    )
    assert.equal(stdout, '3\n0\n0\n', stderr)
    assert.deepEqual(lines(path), [['span 1', 'span 2', 'span 3']])
  })
})

describe('the console exporter', () => {
  it('writes a line for each span', async () => {
    let text = ''
    const exporter = consoleExporter(journal().log, (lines) => {
      text += lines
      return true
    })
    assert.equal((await exporter.export([batch(2)], soon())).delivered, 2)
    const [first, second, rest] = text.split('\n')
    assert.equal(
      first,
      `2026-09-21T14:13:20.000Z checkout[4711] UNSPECIFIED "span 1" 12.5 ms trace=${TRACE_ID} span=0000000000000001`,
    )
    assert.match(second!, /"span 2"/)
    assert.equal(rest, '')
  })

  it('counts what nobody reads any more', () => {
    const program = `
      const { consoleExporter } = await import(${JSON.stringify(dist('export/console.js'))})
      const { encodeResource, encodeScope } = await import(${JSON.stringify(dist('otlp/encode.js'))})
      const chunk = Buffer.from(${JSON.stringify(Buffer.from(batch(3).scopes[0]!.chunks[0]!).toString('base64'))}, 'base64')
      const scopes = [{ scope: encodeScope('s'), schemaUrl: '', chunks: [chunk], count: 3 }]
      await new Promise((resolve) => setTimeout(resolve, 300))
      const result = await consoleExporter(() => {}).export([{ resource: encodeResource({}), scopes, count: 3, bytes: 0 }], Infinity)
      console.error(JSON.stringify([...result.dropped]))`
    const { stderr } = spawnSync(
      'bash',
      ['-c', '"$0" --input-type=module -e "$1" | true', process.execPath, program],
      { encoding: 'utf8' },
    )
    assert.equal(stderr, '[["output",3]]\n')
  })
})

describe('the waterfall exporter', () => {
  it('draws a trace when its root is there, after a while', async () => {
    let drawn = ''
    const exporter = waterfallExporter(journal().log, { width: 80, color: false }, (text) => {
      drawn += text
      return true
    })
    assert.equal((await exporter.export([batch(2)], soon())).delivered, 2)
    assert.equal(drawn, '')
    await exporter.export([batch(1, 0, 3)], soon())
    while (drawn === '') await new Promise((resolve) => setTimeout(resolve, 50))
    assert.match(drawn, /3 spans on 1 thread in 1 process/)
    await exporter.export([batch(1)], soon())
    await exporter.close()
    assert.match(drawn, /1 span on 1 thread in 1 process/)
  })
})

describe('createExporter', () => {
  it('makes what is asked for, and nothing before it is used', async () => {
    const server = await receiver()
    const path = join(folder, 'both.jsonl')
    const { log } = journal()
    const exporter = createExporter(
      { exporters: ['otlp', 'file'], otlp: otlpConfig(server.url), file: path },
      log,
    )
    assert.equal(existsSync(path), false)
    assert.deepEqual(await exporter.export([batch(5)], soon()), { delivered: 5, dropped: new Map() })
    assert.equal(server.received[0]!.spans.length, 5)
    assert.equal(lines(path).flat().length, 5)
    await exporter.close()
    await server.close()
  })

  it('has nowhere to go with "none"', async () => {
    const exporter = createExporter({ exporters: [], otlp: otlpConfig('http://x'), file: '' }, journal().log)
    assert.deepEqual(await exporter.export([batch(5)], soon()), { delivered: 5, dropped: new Map() })
  })

  it('shows the loss of any destination, and hurries all of them', async () => {
    const path = join(folder, 'survives.jsonl')
    const exporter = createExporter(
      {
        exporters: ['file', 'otlp'],
        otlp: otlpConfig(`http://127.0.0.1:${await freePort()}/v1/traces`),
        file: path,
      },
      journal().log,
    )
    const pending = exporter.export([batch(5)], Number.POSITIVE_INFINITY)
    exporter.hurry!(soon(300))
    assert.deepEqual(await pending, { delivered: 0, dropped: new Map([['endpoint', 5]]) })
    assert.equal(lines(path).flat().length, 5)
    await exporter.close()
  })

  it('counts the spans of a destination that breaks the contract', async () => {
    const broken: Exporter = {
      export: () => Promise.reject(new Error('x')),
      close: () => Promise.reject(new Error('y')),
    }
    const exporter = fanOut([
      broken,
      createExporter({ exporters: [], otlp: otlpConfig('http://x'), file: '' }, () => {}),
    ])
    assert.deepEqual(await exporter.export([batch(5)], soon()), {
      delivered: 0,
      dropped: new Map([['failed', 5]]),
    })
    await exporter.close()
  })
})
