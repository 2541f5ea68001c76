import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { fixture } from '../support/program.js'

const run = promisify(execFile)
const tsc = resolve('node_modules/typescript/bin/tsc')

/**
 * Compiles a fixture of `test/fixtures/decorators` by tsc, inside the repository, so that `threadspan` is the package itself.
 * @returns the program.
 */
export async function compile(name: string, file: string, options: string[]): Promise<string> {
  const folder = resolve('build/decorators', name)
  rmSync(folder, { recursive: true, force: true })
  const common = [
    '--rootDir',
    '.',
    '--module',
    'nodenext',
    '--strict',
    '--skipLibCheck',
    '--types',
    'node',
    '--outDir',
    folder,
  ]
  const target = ['--target', 'es2022', '--lib', 'es2023,esnext.disposable,esnext.decorators']
  try {
    await run(process.execPath, [
      tsc,
      '--ignoreConfig',
      ...common,
      ...target,
      ...options,
      fixture(`decorators/${file}.ts`),
    ])
  } catch (error) {
    assert.fail(`${(error as { stdout?: string }).stdout}`)
  }
  return resolve(folder, `test/fixtures/decorators/${file}.js`)
}
