/** The commands of `docs/containers.md`, each with a server that gets a request and then SIGTERM. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fixture } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

const text = readFileSync('docs/containers.md', 'utf8')
const commands = [...text.matchAll(/<!-- run -->\n```sh\n(.+)\n```/g)].map((match) => match[1]!)

describe('in containers', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'threadspan-containers-'))
  let receiver: Receiver
  before(async () => {
    receiver = await Receiver.start()
    mkdirSync(join(folder, 'node_modules/@opentelemetry'), { recursive: true })
    symlinkSync(resolve('.'), join(folder, 'node_modules/threadspan'))
    symlinkSync(resolve('node_modules/@opentelemetry/api'), join(folder, 'node_modules/@opentelemetry/api'))
    copyFileSync(fixture('hostile/server.cjs'), join(folder, 'server.js'))
  })
  after(async () => {
    await receiver.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('there are commands', () => {
    assert.ok(commands.length >= 5)
  })

  for (const command of commands)
    it(command, async () => {
      receiver.spans.length = 0
      // The command is the process's own from its beginning, as it is a container's.
      const own = /^sh /.test(command) ? `exec ${command}` : command.replace(/node --|node server/, 'exec $&')
      const child = spawn('/bin/sh', ['-c', own], {
        cwd: folder,
        env: {
          ...process.env,
          PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const end = once(child, 'exit')
      const [port] = await once(child.stdout, 'data')
      await fetch(`http://127.0.0.1:${Number(port)}/`)
      child.kill('SIGTERM')
      assert.deepEqual(await end, [null, 'SIGTERM'])
      const names = receiver.spans.map(({ name }) => name).sort()
      assert.deepEqual(
        ['in the child', 'in the server'].filter((name) => !names.includes(name)),
        [],
        names.join(),
      )
    })
})
