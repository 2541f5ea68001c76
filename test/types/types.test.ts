import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { fixture } from '../support/program.js'

const tsc = resolve('node_modules/typescript/bin/tsc')
const strict = ['--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', '--noEmit', '--types', 'node']
const target = [
  '--module',
  'nodenext',
  '--target',
  'es2022',
  '--lib',
  'es2023,esnext.disposable,esnext.decorators',
]

/** The complaints of tsc: an unused `@ts-expect-error` is one. */
async function complaints(file: string, options: string[]): Promise<string> {
  try {
    await promisify(execFile)(process.execPath, [
      tsc,
      '--ignoreConfig',
      '--rootDir',
      '.',
      ...strict,
      ...target,
      ...options,
      fixture(`types/${file}`),
    ])
    return ''
  } catch (error) {
    return (error as { stdout: string }).stdout
  }
}

describe('the types', () => {
  it('of every helper accept and refuse what they should', async () => {
    assert.equal(await complaints('helpers.ts', []), '')
  })
  for (const [mode, options] of Object.entries({ standard: [], legacy: ['--experimentalDecorators'] })) {
    it(`of decorators, ${mode}, accept and refuse what they should`, async () => {
      assert.equal(await complaints('decorators.ts', options), '')
    })
  }
})
