import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { dist } from '../support/dist.js'

const MAIN = fileURLToPath(dist('cli/main.js'))

interface Run {
  child: ChildProcess
  output: () => string
  /** Resolves when the output matches; rejects when the process ends before. */
  until: (pattern: RegExp) => Promise<RegExpMatchArray>
  ended: Promise<{ code: number | null; signal: string | null }>
}

function run(t: TestContext, ...argv: string[]): Run {
  const child = spawn(process.execPath, [MAIN, 'view', ...argv], { stdio: ['ignore', 'pipe', 'pipe'] })
  t.after(() => child.kill('SIGKILL'))
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    text += String(chunk)
  })
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as string | null,
  }))
  const until = (pattern: RegExp) =>
    new Promise<RegExpMatchArray>((resolve, reject) => {
      const look = () => {
        const match = text.match(pattern)
        if (match !== null) resolve(match)
      }
      child.stdout.on('data', look)
      child.stderr.on('data', look)
      ended.then(() => reject(new Error(`It ended with: ${text}`)), reject)
      look()
    })
  return { child, output: () => text, until, ended }
}

const FILE_LINE =
  '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"a"}]}]}]}'

describe('threadspan view', () => {
  it('loads files, says where it is, and ends with 0 on SIGINT while a page listens', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'threadspan-viewer-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const file = join(folder, 'a.jsonl')
    await writeFile(file, `${FILE_LINE}\nnot JSON\n`)
    const { child, until, ended, output } = run(t, '--port', '0', file)
    const [, url] = await until(/viewer at (http:\/\/127\.0\.0\.1:\d+\/)/)
    assert.match(output(), /1 spans, data points and log records from .*a\.jsonl, 1 lines are not OTLP JSON/)
    assert.equal(((await (await fetch(`${url}api/status`)).json()) as { spans: number }).spans, 1)
    const live = await fetch(`${url}api/live`)
    child.kill('SIGINT')
    assert.deepEqual(await ended, { code: 0, signal: null })
    await live.text()
  })

  it('says which port is taken', async (t) => {
    const other = createServer().listen(0, '127.0.0.1')
    t.after(() => other.close())
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    const { ended, output } = run(t, '--port', String(port))
    assert.equal((await ended).code, 1)
    assert.match(output(), new RegExp(`Port ${port} .*taken.*\\(THREADSPAN_PORT_TAKEN\\)`))
  })

  it('explains wrong arguments with exit code 2', async (t) => {
    for (const argv of [['--port', 'x'], ['--port', '70000'], ['--nope'], ['--max-spans', '0'], ['--db']]) {
      const { ended, output } = run(t, ...argv)
      assert.equal((await ended).code, 2, argv.join(' '))
      assert.match(output(), /THREADSPAN_CLI_USAGE/)
    }
  })

  it('fails for a file that is not there, and shows its options with --help', async (t) => {
    const missing = run(t, '--port', '0', '/nonexistent/file.jsonl')
    assert.equal((await missing.ended).code, 1)
    assert.match(missing.output(), /THREADSPAN_FILE_UNREADABLE/)
    const help = run(t, '--help')
    assert.equal((await help.ended).code, 0)
    for (const option of ['--port', '--host', '--db', '--open', '--max-spans'])
      assert.ok(help.output().includes(option))
  })
})
