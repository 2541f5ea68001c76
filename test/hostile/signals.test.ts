/** Signals to a program that is run by itself: it ends as it would, and its spans arrive. */
import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import { lossesIn } from '../support/losses.js'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

/** A program that waits for its signal. */
interface Service {
  readonly child: ChildProcessWithoutNullStreams
  /** What it has written. */
  output(): string
  /** Resolves once `text` has been written. */
  until(text: string | RegExp): Promise<void>
  /** Code, signal. */
  readonly end: Promise<unknown[]>
}

function startService(command: readonly string[], env: Record<string, string>): Service {
  const child = spawn(command[0]!, command.slice(1), { env: { ...process.env, ...env } })
  let output = ''
  const waiting = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      output += data
      for (const look of waiting) look()
    })
  }
  return {
    child,
    output: () => output,
    until: (text) =>
      new Promise((done) => {
        const look = () => {
          if (output.search(text) < 0) return
          waiting.delete(look)
          done()
        }
        waiting.add(look)
        look()
      }),
    end: once(child, 'exit'),
  }
}

describe('a signal', { timeout: 120_000 }, () => {
  let receiver: Receiver
  before(async () => {
    receiver = await Receiver.start()
  })
  after(() => receiver.close())
  beforeEach(() => {
    receiver.spans.length = 0
  })

  const plain = [process.execPath, '--require', PRELOAD, fixture('hostile/service.cjs')]
  const names = () => receiver.spans.map(({ name }) => name).sort()

  async function requests(count: number): Promise<void> {
    const patience = AbortSignal.timeout(10_000)
    while (receiver.requests < count && !patience.aborted) await new Promise((done) => setTimeout(done, 5))
    assert.ok(receiver.requests >= count, 'nothing comes')
  }

  /** The program once its telemetry thread is at work, and what it says then. */
  async function ready(command: readonly string[], env: Record<string, string> = {}): Promise<Service> {
    receiver.requests = 0
    const service = startService(command, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...env })
    await requests(1)
    receiver.requests = 0
    service.child.stdin.write('go\n')
    await service.until('ready')
    return service
  }

  it('without a listener leaves no listener and no output, and ends it', async () => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGXCPU'] as const) {
      receiver.spans.length = 0
      const { child, output, end } = await ready(plain)
      child.kill(signal)
      assert.deepEqual(await end, [null, signal])
      assert.equal(output(), `ready ${child.pid} 0,0,0\n`)
      assert.deepEqual(names(), ['early', 'late', 'open'], signal)
      const [open] = receiver.named('open')
      assert.equal(open?.attributes['threadspan.closed'], `process killed by ${signal}`)
    }
  })

  it('is the program’s where it listens', async () => {
    const { child, until, end } = await ready([...plain, 'listener'])
    child.kill('SIGTERM')
    await until('heard')
    child.kill('SIGTERM')
    await until(/heard\nheard/)
    child.kill('SIGKILL')
    assert.deepEqual(await end, [null, 'SIGKILL'])
  })

  it('is the program’s the one time that it listens, and then not', async () => {
    const { child, until, end } = await ready([...plain, 'once'])
    child.kill('SIGTERM')
    await until('heard')
    child.kill('SIGTERM')
    assert.deepEqual(await end, [null, 'SIGTERM'])
  })

  for (const how of ['removed', 'emits'])
    it(`is heard where listeners are ${how === 'removed' ? 'gone again' : 'called by hand only'}`, async () => {
      const { child, end } = await ready([...plain, how])
      child.kill('SIGTERM')
      assert.deepEqual(await end, [null, 'SIGTERM'])
      assert.deepEqual(names(), ['early', 'late', 'open'])
    })

  it('ends it at once the second time, though the endpoint does not answer', async () => {
    const silent = createServer()
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as { port: number }
    const connected = once(silent, 'connection')
    const { child, until, end } = startService(plain, {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      THREADSPAN_EXIT_TIMEOUT: '100000',
    })
    await connected
    child.stdin.write('go\n')
    await until('ready')
    child.kill('SIGTERM')
    // The first one is told of by nothing: each further one would end it.
    const again = setInterval(() => child.kill('SIGTERM'), 50)
    assert.deepEqual(await end, [null, 'SIGTERM'])
    clearInterval(again)
    silent.close()
  })

  it('loses nothing though it comes with the answer to the first request of a service', async () => {
    for (let i = 0; i < 3; i++) {
      receiver.spans.length = 0
      const { child, output, until, end } = startService(
        [process.execPath, '--require', PRELOAD, fixture('hostile/first-request.cjs')],
        { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
      )
      await until(/\d+\n/)
      // What starts as it begins to listen has started.
      await new Promise((done) => setTimeout(done, 1000))
      await fetch(`http://127.0.0.1:${Number(output())}/`)
      child.kill('SIGTERM')
      assert.deepEqual(await end, [null, 'SIGTERM'])
      assert.deepEqual(names(), ['GET', 'in the server'])
    }
  })

  it('that was ignored when it started ends it all the same, as Node has it', async () => {
    const quoted = [...plain].map((part) => `'${part}'`).join(' ')
    const { child, end } = await ready(['/bin/sh', '-c', `trap '' HUP; exec ${quoted}`])
    child.kill('SIGHUP')
    assert.deepEqual(await end, [null, 'SIGHUP'])
    assert.deepEqual(names(), ['early', 'late', 'open'])
  })

  it('is Node’s where it was told what to do with it', async () => {
    const command = [process.execPath, '--report-on-signal', '--report-directory=/nowhere', ...plain.slice(1)]
    const { child, until, end } = await ready(command)
    child.kill('SIGUSR2')
    await until(/Failed to open Node.js report file/)
    child.kill('SIGTERM')
    assert.deepEqual(await end, [null, 'SIGTERM'])
  })

  it('does not end the first process of a container, which goes on', async (t) => {
    const namespace = ['unshare', ...(process.getuid?.() === 0 ? [] : ['-Ur']), '-pf', '--kill-child']
    if (spawnSync(namespace[0]!, [...namespace.slice(1), 'true']).status !== 0) {
      t.diagnostic('no pid namespace can be made here')
      return
    }
    const { child, output, until, end } = await ready([...namespace, ...plain])
    assert.match(output(), /^ready 1 0,0,0/)
    const [inner] = spawnSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' }).stdout.split('\n')
    for (let i = 1; i <= 2; i++) {
      process.kill(Number(inner), 'SIGTERM')
      await requests(i)
      child.stdin.write('again\n')
      await until(new RegExp(`(ready[\\s\\S]+){${i + 1}}`))
    }
    assert.equal(child.exitCode, null)
    assert.deepEqual(names(), ['early', 'late', 'late'])
    child.kill('SIGKILL')
    await end
  })
})

describe('process.execve()', { timeout: 30_000 }, () => {
  it('delivers before the program is another one', async (t) => {
    if (!('execve' in process)) {
      t.diagnostic('this Node has none')
      return
    }
    const receiver = await Receiver.start()
    try {
      for (const when of ['now', 'later']) {
        receiver.spans.length = 0
        const { stdout, stderr } = await runProgram(fixture('hostile/replaced.cjs'), {
          node: ['--no-warnings', '--require', PRELOAD],
          args: [when],
          env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
        })
        assert.equal(stdout, 'ERR_INVALID_ARG_VALUE\nreplaced\n', stderr)
        assert.equal(lossesIn(stderr), undefined)
        assert.equal(receiver.spans.length, 12)
      }
    } finally {
      await receiver.close()
    }
  })
})
