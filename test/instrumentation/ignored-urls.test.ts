import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, test } from 'node:test'
import { live } from '#dist/config/live.js'
import { enableInstrumentations } from '#dist/instrumentation/index.js'
import { ended, forget, spans, tracer } from './setup.js'

afterEach(() => {
  live.now = undefined
  forget()
})

/** What a server of central configuration says of paths; undefined where it says nothing. */
function central(ignored: readonly string[] | undefined): void {
  live.now = () => ({
    values: ignored === undefined ? {} : { transaction_ignore_urls: ignored },
    isDeactivated: () => false,
    isIgnored: (path) => ignored?.includes(path) ?? false,
    groupOf: () => undefined,
    stackOf: (stack) => stack,
  })
}

for (const [when, ignored, expected] of [
  ['says nothing, what the environment leaves out is left out', undefined, ['/one']],
  ['says something, that holds alone', ['/one'], ['/health/live', '/one/two']],
  ['says that nothing is left out, nothing is', [], ['/health/live', '/one', '/one/two']],
] as const)
  test(`where central configuration ${when}`, async () => {
    const disable = enableInstrumentations({
      tracer,
      disabled: ['undici'],
      ignoreUrls: ['/HEALTH*', '/one/*'],
    })
    const server = createServer((_request, response) => response.end('ok'))
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    central(ignored)
    try {
      const { port } = server.address() as AddressInfo
      for (const path of ['/health/live?x=1', '/one', '/one/two'])
        await (await fetch(`http://127.0.0.1:${port}${path}`)).text()
      await ended(expected.length)
      assert.deepEqual(
        spans()
          .map(({ attributes }) => attributes['url.path'])
          .sort(),
        expected,
      )
    } finally {
      disable()
      server.close()
      server.closeAllConnections()
    }
  })
