import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { TraceColumns } from '../../src/viewer/api.js'
import { dist } from '../support/dist.js'
import { jaeger, TRACE, tempo } from './source-answers.js'
import { serve } from './source-server.js'

const MAIN = fileURLToPath(dist('cli/main.js'))

interface Ended {
  code: number | null
  stdout: Buffer
  stderr: string
}

/** Runs the command to its end. */
async function view(argv: string[], env: Record<string, string> = {}): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, 'view', ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  const out: Buffer[] = []
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout: Buffer.concat(out), stderr }
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'threadspan-viewer-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return path
}

const LINE = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"${TRACE}","spanId":"eee19b7ec3c1b174","name":"a"}]}]}]}\n`

describe('threadspan view --export', () => {
  it('writes what it loaded to stdout, or to a file of the user alone, and ends', async (t) => {
    const path = await folder(t)
    const file = join(path, 'a.jsonl')
    await writeFile(file, LINE)
    const csv = await view([file, '--export', 'csv'])
    assert.equal(csv.code, 0)
    assert.match(csv.stdout.toString(), new RegExp(`^trace_id,.*\\r\\n${TRACE},`))
    assert.match(csv.stderr, /^threadspan: 1 spans, data points and log records from .*a\.jsonl\n$/)
    const chrome = await view([file, '--export', 'chrome'])
    assert.ok('traceEvents' in (JSON.parse(chrome.stdout.toString()) as object))
    const again = await view([file, '--export', 'otlp'])
    assert.ok('resourceSpans' in (JSON.parse(again.stdout.toString()) as object))
    const profile = join(path, 'a.pb.gz')
    assert.equal((await view([file, '--export', 'pprof', '--output', profile])).code, 0)
    assert.ok(gunzipSync(await readFile(profile)).includes('process'))
    assert.equal((await stat(profile)).mode & 0o777, 0o600)
    const nowhere = await view([file, '--export', 'csv', '--output', join(path, 'no', 'file')])
    assert.deepEqual([nowhere.code, /THREADSPAN_FILE_UNWRITABLE/.test(nowhere.stderr)], [1, true])
  })

  it('explains wrong arguments', async () => {
    for (const argv of [['--export', 'x'], ['--export'], ['--output', 'file']]) {
      const { code, stderr } = await view(argv)
      assert.equal(code, 2, argv.join(' '))
      assert.match(stderr, /THREADSPAN_CLI_USAGE/)
    }
  })
})

describe('threadspan view --from', () => {
  it('reads a trace, shows it at once, and asks for others as they are opened', async (t) => {
    const { url, asked } = await serve(t, jaeger)
    const child = spawn(
      process.execPath,
      [MAIN, 'view', '--port', '0', '--from', `jaeger+${url}`, '--trace', TRACE.toUpperCase()],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    t.after(() => child.kill('SIGKILL'))
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const [, at, fragment] = /viewer at (\S+\/)(#\S+)/.exec(line.toString())!
    assert.equal(fragment, `#/trace/${TRACE}`)
    const columns = (await (await fetch(`${at}api/trace/${TRACE}`)).json()) as TraceColumns
    assert.deepEqual(
      columns.threads.map(({ id }) => id),
      [0, 1, 2],
    )
    assert.deepEqual(columns.wait, [0, 15.5, 15.5])
    assert.equal((await fetch(`${at}api/trace/${'e'.repeat(32)}`)).status, 404)
    assert.deepEqual(
      asked.map(({ url }) => url.pathname),
      [`/api/v3/traces/${TRACE}`, `/api/v3/traces/${'e'.repeat(32)}`],
    )
    child.kill('SIGINT')
    assert.deepEqual(await once(child, 'close'), [0, null])
  })

  it('ends at once on SIGINT while the source does not answer', async (t) => {
    const { url, asked } = await serve(t, () => undefined)
    const child = spawn(process.execPath, [MAIN, 'view', '--port', '0', '--from', `tempo+${url}`])
    t.after(() => child.kill('SIGKILL'))
    const closed = once(child, 'close')
    while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    child.kill('SIGINT')
    assert.deepEqual(await closed, [0, null])
  })

  it('searches, and takes credentials from variables alone, which it never shows', async (t) => {
    const { url, asked } = await serve(t, tempo)
    const headers = { THREADSPAN_FROM_HEADERS: 'X-Scope-OrgID=team%20a, authorization=Bearer%20s3cret' }
    const from = ['--from', `tempo+${url}`, '--export', 'csv']
    const search = ['--service', 'shop', '--since', '2h', '--min-duration', '50ms', '--limit', '3']
    const one = await view([...from, ...search, '--attribute', 'a=b=c'], headers)
    assert.equal(one.code, 0, one.stderr)
    assert.equal(one.stdout.toString().trim().split('\r\n').length, 4)
    const [first] = asked
    assert.equal(first!.headers['authorization'], 'Bearer s3cret')
    assert.equal(first!.headers['x-scope-orgid'], 'team a')
    const { q, limit, start, end } = Object.fromEntries(first!.url.searchParams)
    assert.equal(q, '{ resource.service.name = "shop" && traceDuration >= 50ms && .a = "b=c" }')
    assert.equal(limit, '3')
    assert.ok(Math.abs(Number(end) - Number(start) - 7200) <= 1)
    const user = { THREADSPAN_FROM_USER: 'me', THREADSPAN_FROM_PASSWORD: 's3cret:ü' }
    await view([...from, '--trace', TRACE], user)
    const basic = `Basic ${Buffer.from('me:s3cret:ü').toString('base64')}`
    assert.equal(asked.at(-1)!.headers['authorization'], basic)
    for (const bad of [
      { THREADSPAN_FROM_HEADERS: 's3cret' },
      { THREADSPAN_FROM_HEADERS: 'a=s3cret%0d%0aX: y' },
      { THREADSPAN_FROM_HEADERS: 'a b=s3cret' },
    ]) {
      const { code, stderr } = await view(from, bad)
      assert.equal(code, 2)
      assert.doesNotMatch(stderr, /s3cret/)
    }
    const inUrl = await view(['--from', `tempo+${url.replace('//', '//me:s3cret@')}`])
    assert.equal(inUrl.code, 1)
    assert.match(inUrl.stderr, /THREADSPAN_FROM_USER.*THREADSPAN_SOURCE_URL/)
    assert.doesNotMatch(inUrl.stderr, /s3cret/)
  })

  it('says what is not there, what fails, and what is wrong with the arguments', async (t) => {
    const { url } = await serve(t, jaeger)
    const from = ['--from', `jaeger+${url}`]
    const missing = await view([...from, '--trace', 'ab', '--export', 'csv'])
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /it has no trace 0{30}ab \(THREADSPAN_SOURCE_ANSWER\)/)
    const gone = await view(['--from', 'jaeger+http://127.0.0.1:1', '--trace', 'ab'])
    assert.equal(gone.code, 1)
    assert.match(gone.stderr, /THREADSPAN_SOURCE_UNREACHABLE/)
    for (const argv of [
      ['--trace', TRACE],
      ['--since', '1h'],
      [...from, '--trace', 'xyz'],
      [...from, '--trace', '0'],
      [...from, '--trace', 'a'.repeat(33)],
      [...from, '--trace', TRACE, '--service', 'x'],
      [...from, '--since', '1'],
      [...from, '--since', '-1h'],
      [...from, '--attribute', '=x'],
      [...from, '--limit', '0'],
      [...from, '--min-duration', 'x'],
    ]) {
      const { code, stderr } = await view(argv)
      assert.equal(code, 2, argv.join(' '))
      assert.match(stderr, /THREADSPAN_CLI_USAGE/)
    }
  })
})
