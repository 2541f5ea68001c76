import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { readConfig } from '#dist/config/config.js'
import { isCentral } from '#dist/config/is-central.js'

const read = (env: Record<string, string>) => {
  const { config, warnings } = readConfig(env)
  // Whoever decides early whether there is one must not know less.
  if (config.central !== undefined) assert.ok(isCentral(env))
  return { central: config.central, told: warnings.map(({ message }) => message) }
}

describe('where settings come from', () => {
  it('is an OpAMP server by Elastic’s variables', () => {
    for (const [value, url] of [
      ['localhost:4320', 'http://localhost:4320/v1/opamp'],
      ['https://opamp.example/', 'https://opamp.example/v1/opamp'],
      ['http://opamp.example/its/path?x=1', 'http://opamp.example/its/path?x=1'],
    ] as const) {
      const { central, told } = read({
        ELASTIC_OTEL_OPAMP_ENDPOINT: value,
        ELASTIC_OTEL_OPAMP_HEADERS: 'Authorization=ApiKey%20x',
        ELASTIC_OTEL_OPAMP_CERTIFICATE: '/ca.pem',
        ELASTIC_OTEL_EXPERIMENTAL_OPAMP_HEARTBEAT_INTERVAL: '5000',
      })
      assert.deepEqual(told, [])
      assert.deepEqual(
        { ...central, headers: { ...central?.headers } },
        {
          form: 'opamp',
          url,
          headers: { authorization: 'ApiKey x' },
          interval: 5000,
          certificate: '/ca.pem',
          clientKey: undefined,
          clientCertificate: undefined,
        },
      )
    }
  })

  it('is an APM Server by its address', () => {
    for (const [value, url] of [
      ['https://apm.example:8200', 'https://apm.example:8200/config/v1/agents'],
      ['https://apm.example/base/', 'https://apm.example/base/config/v1/agents'],
      ['https://apm.example/config/v1/agents', 'https://apm.example/config/v1/agents'],
    ] as const) {
      const { central, told } = read({ THREADSPAN_CENTRAL_CONFIG: value })
      assert.deepEqual([central?.form, central?.url, central?.interval, told], ['agents', url, 300_000, []])
    }
  })

  it('is nowhere without them, where that is off, or for what is no address', () => {
    for (const env of [
      {},
      { ELASTIC_OTEL_OPAMP_ENDPOINT: ' ' },
      { THREADSPAN_CENTRAL_CONFIG: 'OFF', ELASTIC_OTEL_OPAMP_ENDPOINT: 'localhost' },
    ]) {
      assert.equal(read(env).central, undefined)
      assert.equal(isCentral(env), false)
    }
    for (const env of [
      { THREADSPAN_CENTRAL_CONFIG: 'apm.example' },
      { ELASTIC_OTEL_OPAMP_ENDPOINT: 'http://' },
    ]) {
      const { central, told } = read(env)
      assert.equal(central, undefined)
      assert.match(told.join(), /the value is no URL/)
    }
  })

  it('shows no secret of a value that is wrong', () => {
    const { told } = read({
      THREADSPAN_CENTRAL_CONFIG: 'https://apm.example',
      THREADSPAN_CENTRAL_CONFIG_HEADERS: 'secret,bad name=secret,ok=1',
      ELASTIC_OTEL_EXPERIMENTAL_OPAMP_HEARTBEAT_INTERVAL: '1',
    })
    assert.equal(told.length, 2)
    assert.ok(!told.join().includes('secret'))
  })
})
