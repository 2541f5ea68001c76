import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { configurationLines, configurationOf } from '#dist/cli/doctor/configuration.js'
import { runProgram } from '../support/program.js'

/** The variables of the reference's table, as far as it writes them out. */
function documented(): string[] {
  const [, section = ''] = readFileSync('docs/reference.md', 'utf8').split('\n## Variables\n')
  const table = section.slice(0, section.indexOf('\n\nThe specification'))
  const rows = [...table.matchAll(/^\| (`.+?) \|/gm)].map(([, names]) => names!)
  return rows.flatMap((row) =>
    [...row.matchAll(/`((?:OTEL|THREADSPAN|ELASTIC)_\w+)`/g)].map(([, name]) => name!),
  )
}

describe('the configuration that threadspan doctor prints', () => {
  const everything = {
    OTEL_METRICS_EXPORTER: 'otlp,prometheus',
    OTEL_LOGS_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://user:password@127.0.0.1:9?secret',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=secret',
    OTEL_RESOURCE_ATTRIBUTES: 'team=secret',
    THREADSPAN_SURFACER_URL: 'http://user:password@127.0.0.1:9?secret',
    THREADSPAN_CENTRAL_CONFIG_HEADERS: 'authorization=secret',
    ELASTIC_OTEL_OPAMP_HEADERS: 'authorization=secret',
  }
  const servers = [
    { THREADSPAN_CENTRAL_CONFIG: 'http://user:password@127.0.0.1:9/' },
    { ELASTIC_OTEL_OPAMP_ENDPOINT: 'http://user:password@127.0.0.1:9/' },
  ]

  it('has every variable of the reference, and no other', () => {
    const told = servers.flatMap((server) =>
      configurationOf({ ...everything, ...server }).flatMap(({ variables }) => variables),
    )
    // What the command `view` reads is none of a program's.
    const known = documented().filter((name) => !name.startsWith('THREADSPAN_FROM_'))
    assert.deepEqual(
      known.filter((name) => !told.includes(name)),
      [],
    )
    // What the reference abbreviates: certificates, and `TRACES_` by `METRICS_`.
    const others = told.filter(
      (name) =>
        !known.includes(name) &&
        !/^OTEL_BLRP_|^OTEL_EXPORTER_OTLP_(METRICS_|TRACES_|LOGS_|CLIENT_|CERT)/.test(name),
    )
    assert.deepEqual(others, [])
  })

  it('says what holds, and shows no secret', () => {
    const lines = servers.flatMap((server) => configurationLines({ ...everything, ...server }))
    const text = lines.join('\n')
    assert.ok(!/secret|password/.test(text), text)
    const value = (name: string) => new RegExp(`^${name} +(.+)$`, 'm').exec(text)?.[1]
    assert.equal(value('OTEL_EXPORTER_OTLP_HEADERS'), 'authorization (values are not shown)  (set)')
    assert.equal(value('OTEL_EXPORTER_OTLP_ENDPOINT'), 'http://***@127.0.0.1:9/v1/traces  (set)')
    assert.equal(value('OTEL_TRACES_SAMPLER'), 'parentbased_always_on')
    const [, wrong] = configurationLines({
      OTEL_TRACES_SAMPLER: 'nonsense',
      OTEL_SERVICE_NAME: 'a\u001b[31m\nb',
    })
    assert.match(wrong!, /^OTEL_SERVICE_NAME +a.\[31m b {2}\(set\)$/)
  })

  it('comes at the end, behind what a server of central configuration has', async () => {
    const server = createServer((_request, response) =>
      response.end('{"transaction_sample_rate": "0.5", "odd": "1", "recording": "perhaps"}'),
    )
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    const { stdout, code } = await runProgram(resolve('dist/cli/main.js'), {
      args: ['doctor'],
      env: {
        THREADSPAN_CENTRAL_CONFIG: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        OTEL_TRACES_EXPORTER: 'none',
      },
    })
    server.close()
    assert.equal(code, 0, stdout)
    assert.match(stdout, /✓ Central configuration from http:\S+: sampling_rate 0.5\n/)
    assert.match(stdout, /· Central configuration: odd is not known\n/)
    assert.match(stdout, /· Central configuration: recording is not "true" or "false"\n/)
    assert.match(stdout, /\nConfiguration\n {3}OTEL_CONFIG_FILE/)
    // What it traces for a trial goes by no settings from afar.
    assert.match(stdout, /✓ A span of a terminated worker thread arrives/)
  })
})
