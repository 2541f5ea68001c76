import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
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
  return start(t, argv, process.env)
}

function start(t: TestContext, argv: string[], env: NodeJS.ProcessEnv): Run {
  const child = spawn(process.execPath, [MAIN, 'view', ...argv], { stdio: ['ignore', 'pipe', 'pipe'], env })
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
    assert.match(output(), /1 spans, data points and log records from .*a\.jsonl, 1 pieces cannot be read/)
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
    for (const argv of [
      ['--port', 'x'],
      ['--port', '70000'],
      ['--nope'],
      ['--max-spans', '0'],
      ['--db'],
      ['--keep', '7'],
      ['--keep', '0d'],
      ['--max-memory', '1'],
      ['--db', 'x', '--max-size', '10'],
      ['--max-size', '10GB'],
    ]) {
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
    for (const option of [
      '--port',
      '--host',
      '--db',
      '--open',
      '--max-spans',
      '--from',
      '--export',
      '--keep',
      '--max-size',
    ])
      assert.ok(help.output().includes(option))
  })
  it('opens the browser, and goes on where that fails', {
    skip: process.platform === 'linux' ? false : 'the command is that of Linux desktops',
  }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'threadspan-viewer-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const opener = join(folder, 'xdg-open')
    const note = join(folder, 'opened')
    for (const [script, what] of [
      [`#!/bin/sh\nprintf %s "$1" > '${note}.part' && mv '${note}.part' '${note}'\n`, 'opened'],
      ['#!/bin/sh\nexit 3\n', 'failed'],
      [undefined, 'missing'],
    ] as const) {
      if (script === undefined) await rm(opener)
      else {
        await writeFile(opener, script)
        await chmod(opener, 0o755)
      }
      const path = script === undefined ? folder : `${folder}:/usr/bin:/bin`
      const { child, until, ended } = start(t, ['--port', '0', '--open'], { ...process.env, PATH: path })
      const [, url] = await until(/viewer at (\S+)/)
      if (what !== 'opened') await until(new RegExp(`no browser could be started; open ${url}`))
      else while ((await readFile(note, 'utf8').catch(() => '')) !== url) await delay(20)
      assert.equal((await fetch(`${url}api/status`)).status, 200, what)
      child.kill('SIGTERM')
      assert.equal((await ended).code, 0, what)
    }
  })

  it('takes only the newest of more spans than --max-spans, and warns when others can reach it', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'threadspan-viewer-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const file = join(folder, 'a.jsonl')
    const lines = Array.from({ length: 9 }, (_, i) => FILE_LINE.replace('5b8efff7', `5b8efff${i}`))
    await writeFile(file, lines.join('\n'))
    const { child, until, ended, output } = run(
      t,
      '--port',
      '0',
      '--host',
      '0.0.0.0',
      '--max-spans',
      '4',
      file,
    )
    const [, url] = await until(/viewer at (\S+)/)
    assert.match(output(), /other machines can read and send data here, since it listens on 0\.0\.0\.0/)
    const status = (await (await fetch(`${url}api/status`)).json()) as { spans: number; maxSpans: number }
    assert.deepEqual([status.spans, status.maxSpans], [4, 4])
    child.kill('SIGINT')
    assert.equal((await ended).code, 0)
  })
})
