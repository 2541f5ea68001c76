import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { dist } from '../support/dist.js'
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
  it('are tested of every export, both what they accept and what they refuse', async () => {
    const sources = ['helpers.ts', 'decorators.ts'].map((file) =>
      readFileSync(fixture(`types/${file}`), 'utf8').replace(/^import [^']*'[^']*'$/gm, ''),
    )
    // Statements and members that follow a refusal, and what is left without them.
    const refusal = /\/\/ @ts-expect-error: .+\n.+\n/g
    const refused = sources.flatMap((text) => text.match(refusal) ?? []).join('')
    const accepted = sources.join('').replace(refusal, '')
    for (const entry of ['index.js', 'worker.js']) {
      for (const name of Object.keys((await import(dist(entry))) as object)) {
        const used = new RegExp(`(?:\\b|@)${name}\\b`)
        assert.match(accepted, used, `${name} has no positive test`)
        assert.match(refused, used, `${name} has no negative test`)
      }
    }
  })
  it('of every helper accept and refuse what they should', async () => {
    assert.equal(await complaints('helpers.ts', []), '')
  })
  for (const [mode, options] of Object.entries({ standard: [], legacy: ['--experimentalDecorators'] })) {
    it(`of decorators, ${mode}, accept and refuse what they should`, async () => {
      assert.equal(await complaints('decorators.ts', options), '')
    })
  }
})
