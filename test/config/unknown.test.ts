import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readConfig } from '#dist/config/config.js'

import { COMMAND_VARIABLES, OWN_VARIABLES, PASSED_VARIABLES, unknownVariables } from '#dist/config/unknown.js'
import { fixture, PRELOAD, runProgram } from '../support/program.js'

const told = (env: Record<string, string>) => unknownVariables(env).map(({ message }) => message)

describe('variables that nobody knows', () => {
  it('are told of, with the name that is near', () => {
    const near = {
      FLIE: 'FILE',
      FILES: 'FILE',
      SPOL: 'SPOOL',
      TRANSACTIN: 'TRANSACTION',
      FROM_HEADER: 'FROM_HEADERS',
      RINGSIZE: 'RING_SIZE',
      RING_SIZES: 'RING_SIZE',
      RNIG_SZIE: 'RING_SIZE',
      EXIT_TIME_OUT: 'EXIT_TIMEOUT',
      error: 'ERRORS',
    }
    for (const [name, known] of Object.entries(near)) {
      assert.deepEqual(told({ [`THREADSPAN_${name}`]: 'x' }), [
        `THREADSPAN_${name}: there is no such variable; did you mean THREADSPAN_${known}?`,
      ])
    }
    for (const name of ['SAMPLER', 'EXITING', 'X', 'A'.repeat(64)]) {
      assert.deepEqual(told({ [`THREADSPAN_${name}`]: 'secret' }), [
        `THREADSPAN_${name}: there is no such variable`,
      ])
    }
  })

  it('are not those of others, of ours, or of what processes pass to each other', () => {
    const known = [...OWN_VARIABLES, ...PASSED_VARIABLES, ...COMMAND_VARIABLES]
    const names = known.map((name) => `THREADSPAN_${name}`)
    const others = ['PATH', 'THREADSPAN', 'THREADSPAN_', 'MY_THREADSPAN_FLIE', 'THREADSPAN_odd name']
    assert.deepEqual(told(Object.fromEntries([...names, ...others].map((name) => [name, 'x']))), [])
  })

  it('are all that readConfig does not read', () => {
    const read = new Set<string>()
    const env = new Proxy({}, { get: (_, name) => void read.add(String(name)) })
    readConfig(env)
    const own = [...read].flatMap((name) => /^THREADSPAN_(.*)/.exec(name)?.[1] ?? [])
    assert.deepEqual(own.sort(), [...OWN_VARIABLES].sort())
  })

  it('are told of once, by the main thread of the process that exports, as values that cannot be used are', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'threadspan-'))
    const file = join(folder, 'spans.jsonl')
    try {
      const { code, stderr } = await runProgram(fixture('config/everywhere.cjs'), {
        node: ['--require', PRELOAD],
        env: {
          OTEL_TRACES_EXPORTER: 'file',
          THREADSPAN_FILE: file,
          THREADSPAN_SPOOOL: folder,
          THREADSPAN_RING_SIZE: 'big',
        },
      })
      assert.equal(code, 0, stderr)
      assert.equal(readFileSync(file, 'utf8').match(/"name":"here"/g)?.length, 3)
      const lines = stderr.split('\n').filter((line) => line.includes('(THREADSPAN_'))
      assert.deepEqual(
        lines.map((line) => line.replace(/^(threadspan: \w+).*\((\w+)\)$/, '$1 $2')),
        [
          'threadspan: THREADSPAN_RING_SIZE THREADSPAN_ENV_INVALID',
          'threadspan: THREADSPAN_SPOOOL THREADSPAN_ENV_UNKNOWN',
        ],
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
