import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { readSpans } from '#dist/cli/spans-file.js'
import { main as cli, fixture, plainEnvironment, threadspan } from './cli.js'

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

  test('--transaction puts all of the run below one transaction', async () => {
    const { code, stderr } = await threadspan(['run', '--transaction', 'nightly', program, 'exit', '3']).ended
    assert.equal(code, 3, stderr)
    assert.match(stderr, /^ nightly$/m)
    assert.match(stderr, /^ ╰╴main /m)
    assert.doesNotMatch(stderr, /traces,/)
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

  describe('gives the program each signal once', { skip: process.platform === 'win32' }, () => {
    const counting = [process.execPath, cli, 'run', '-q', fixture('count-signals.mjs')] as const

    /** Sends a signal when the program is ready for it. @returns what it says that it got. */
    async function got(child: ChildProcess, send: (run: number) => void): Promise<unknown> {
      let stdout = ''
      let isReady = false
      child.stdout!.on('data', (chunk) => {
        stdout += chunk
        const ready = /waiting, a child of (\d+)\s/.exec(stdout)
        if (isReady || ready === null) return
        isReady = true
        send(Number(ready[1]))
      })
      await once(child, 'close')
      const counts = /got (.*)/.exec(stdout)
      assert.ok(counts, `no signal came: ${stdout}`)
      return JSON.parse(counts[1]!)
    }

    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
      for (const stdin of ['pipe', 'ignore'] as const) {
        test(`${signal}, to the group and to us alone, where standard input is ${stdin}`, async () => {
          const start = () =>
            spawn(counting[0], counting.slice(1), {
              detached: true,
              env: plainEnvironment(),
              stdio: [stdin, 'pipe', 'inherit'],
            })
          const together = start()
          const alone = start()
          assert.deepEqual(
            await Promise.all([
              got(together, () => process.kill(-together.pid!, signal)),
              got(alone, () => process.kill(alone.pid!, signal)),
            ]),
            [{ [signal]: 1 }, { [signal]: 1 }],
          )
        })
      }
    }

    test('Ctrl-C in a terminal, and a SIGINT to us alone in one', {
      skip: !existsSync('/usr/bin/script'),
    }, async () => {
      const start = () =>
        spawn('script', ['-qefc', counting.map((each) => `'${each}'`).join(' '), '/dev/null'], {
          env: { ...plainEnvironment(), SHELL: '/bin/sh' },
          stdio: ['pipe', 'pipe', 'inherit'],
        })
      const typed = start()
      const sent = start()
      assert.deepEqual(
        await Promise.all([
          got(typed, () => typed.stdin.write('\x03')),
          // Whether a shell lies between depends on the shell.
          got(sent, (run) => process.kill(run, 'SIGINT')),
        ]),
        [{ SIGINT: 1 }, { SIGINT: 1 }],
      )
    })

    test('one after the other', async () => {
      const child = spawn(counting[0], counting.slice(1), {
        detached: true,
        env: plainEnvironment(),
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const send = async () => {
        for (let nth = 0; nth < 3; nth++) {
          process.kill(-child.pid!, 'SIGINT')
          await setTimeout(200)
          child.kill('SIGINT')
          await setTimeout(200)
        }
      }
      assert.deepEqual(await got(child, () => void send()), { SIGINT: 6 })
    })
  })

  test('a command that does not exist ends with 127, as in shells', async () => {
    const { code, stderr } = await threadspan(['run', '--', join(folder, 'nothing')]).ended
    assert.equal(code, 127)
    assert.match(stderr, /THREADSPAN_CLI_SPAWN/)
  })
})
