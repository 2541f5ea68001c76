import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { dist } from '../support/dist.js'
import { fixture, threadspan } from './cli.js'

const { readSpans } = (await import(
  dist('cli/spans-file.js')
)) as typeof import('../../src/cli/spans-file.js')

const program = fixture('program.mjs')
const folder = mkdtempSync(join(tmpdir(), 'threadspan test '))
after(() => rmSync(folder, { recursive: true }))

const first = (stdout: string) => JSON.parse(stdout.slice(0, stdout.indexOf('\n')))

describe('threadspan run', () => {
  test('a script gets its arguments and gives its exit code; the waterfall goes to standard error', async () => {
    const { code, stdout, stderr } = await threadspan([
      'run',
      '--service',
      'shop',
      program,
      'exit',
      '3',
      '--view',
      '-q',
    ]).ended
    assert.equal(code, 3, stderr)
    assert.deepEqual(first(stdout), { argv: ['exit', '3', '--view', '-q'], execArgv: [] })
    assert.match(stderr, /shop \d+ · trace [0-9a-f]{32}/)
    assert.match(stderr, /^ main .*━/m)
    assert.match(stderr, /^ ╰╴worker /m)
  })

  test('a command is traced by its environment, which the program does not see', async () => {
    const { code, stdout, stderr } = await threadspan(['run', '--', process.execPath, program, 'exit', '4'])
      .ended
    assert.equal(code, 4, stderr)
    assert.deepEqual(first(stdout), { argv: ['exit', '4'], execArgv: [] })
    assert.match(stderr, /^ ╰╴worker /m)
  })

  test("a command keeps the user's NODE_OPTIONS, through a program that is not Node", async () => {
    const NODE_OPTIONS = '--max-old-space-size=300'
    const { code, stdout, stderr } = await threadspan(
      ['run', '--', 'sh', '-c', `"${process.execPath}" "${program}" exit 5`],
      { env: { NODE_OPTIONS } },
    ).ended
    assert.equal(code, 5, stderr)
    assert.equal(first(stdout).options, NODE_OPTIONS)
    assert.match(stderr, /^ ╰╴worker /m)
  })

  test('--quiet prints nothing, and nothing is left behind', async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('threadspan-run-'))
    const { code, stderr } = await threadspan(['run', '--quiet', program]).ended
    assert.equal(code, 0)
    assert.equal(stderr, '')
    const left = readdirSync(tmpdir()).filter(
      (name) => name.startsWith('threadspan-run-') && !before.includes(name),
    )
    assert.deepEqual(left, [])
  })

  test('--file keeps the spans of all threads', async () => {
    const file = join(folder, 'spans.jsonl')
    const { code, stderr } = await threadspan(['run', '--file', 'spans.jsonl', program], { cwd: folder })
      .ended
    assert.equal(code, 0, stderr)
    assert.ok(existsSync(file))
    const spans = (await readSpans(file)).map(({ span }) => span)
    assert.deepEqual(spans.map(({ name }) => name).sort(), ['main', 'worker'])
    const [main, worker] = ['main', 'worker'].map((wanted) => spans.find(({ name }) => name === wanted))
    assert.equal(worker?.parentSpanId, main?.spanId)
  })

  test('an endpoint that is configured is where the spans go', async () => {
    const paths: (string | undefined)[] = []
    const server = createServer((request, response) => {
      paths.push(request.url)
      request.resume().on('end', () => response.end())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { code, stderr } = await threadspan(['run', program], { env: { OTEL_EXPORTER_OTLP_ENDPOINT } })
      .ended
    server.close()
    assert.equal(code, 0)
    assert.equal(stderr, '')
    assert.ok(paths.length > 0 && paths.every((path) => path === '/v1/traces'), String(paths))
  })

  test('--view shows what was run', async () => {
    const { code, stderr } = await threadspan(['run', '--view', program]).ended
    assert.equal(code, 0, stderr)
    assert.match(stderr, /viewer at http:\/\/(127\.0\.0\.1|localhost):\d+/)
  })

  test('a signal that ends the program ends us alike', async () => {
    const { code, signal } = await threadspan(['run', '-q', program, 'kill', 'SIGKILL']).ended
    assert.deepEqual({ code, signal }, { code: null, signal: 'SIGKILL' })
  })

  test('a signal to us is passed on, and the program answers it as it likes', async () => {
    const { child, ended } = threadspan(['run', '-q', program, 'wait', 'SIGTERM'])
    await new Promise<void>((resolve) => {
      child.stdout?.on('data', (chunk) => {
        if (String(chunk).includes('waiting')) resolve()
      })
    })
    child.kill('SIGTERM')
    const { code, signal } = await ended
    assert.deepEqual({ code, signal }, { code: 7, signal: null })
  })

  test('a command that does not exist ends with 127, as in shells', async () => {
    const { code, stderr } = await threadspan(['run', '--', join(folder, 'nothing')]).ended
    assert.equal(code, 127)
    assert.match(stderr, /THREADSPAN_CLI_SPAWN/)
  })
})
