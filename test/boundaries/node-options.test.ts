import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { absoluteNodeOptions, nodeOptionsWith } from '#dist/boundaries/node-options.js'
import type { OwnPreload } from '../../src/boundaries/own-preload.js'

function own(path: string, ...relative: string[]): OwnPreload {
  return {
    path,
    relative: new Set(relative),
    execArgv: [],
    inExecArgv: false,
    inherited: true,
    stale: () => true,
    valueFor: (option) => (option === '--import' ? pathToFileURL(path).href : path),
  }
}

describe('nodeOptionsWith', () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'node options ')))
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('writes what Node reads, whatever is in the path', () => {
    const names = ['plain', 'with space', "it's", '$HOME', '%PATH%', 'ünïcode', '#?&', '--title=x']
    if (process.platform !== 'win32') names.push('a"b', 'a\\b', 'a\\"b\\\\', '" "', '\\', 'tab\tnewline\n')
    for (const name of names) {
      const directory = join(folder, name)
      mkdirSync(directory)
      const path = join(directory, 'preload.cjs')
      writeFileSync(path, 'console.log(__filename)')
      for (const before of [undefined, '', '--no-warnings', ' --conditions="a \\"b" ']) {
        const env = { ...process.env, NODE_OPTIONS: nodeOptionsWith(before, own(path)) }
        const { stderr, stdout } = spawnSync(process.execPath, ['-e', '0'], { encoding: 'utf8', env })
        assert.deepEqual([stdout, stderr], [`${path}\n`, ''])
      }
    }
  })

  it('keeps what was there, and adds nothing twice', () => {
    const preload = own('/p/register.cjs')
    const once = nodeOptionsWith('--no-warnings  -r "x y"', preload)
    assert.equal(once, '--no-warnings  -r "x y" --require "/p/register.cjs"')
    assert.equal(nodeOptionsWith(once, preload), once)
  })

  it('leaves alone what Node refuses', () => {
    for (const text of ['"', '--a "b', 'a "b\\']) assert.equal(nodeOptionsWith(text, own('/p')), text)
  })
})

describe('absoluteNodeOptions', () => {
  const preload = own('/p/r.cjs', 'threadspan/register', './r 1.cjs')

  it('makes relative names of the preload absolute, and those only', () => {
    const cases: [string, string][] = [
      ['-r threadspan/register', '-r "/p/r.cjs"'],
      ['--require=threadspan/register --no-warnings', '--require "/p/r.cjs" --no-warnings'],
      ['--no-warnings  -r "./r 1.cjs" -r other', '--no-warnings  -r "/p/r.cjs" -r other'],
      ['--require thread"span/reg"ister', '--require "/p/r.cjs"'],
      ['--import threadspan/register', '--import "file:///p/r.cjs"'],
      ['-r threadspan/register -r threadspan/register', '-r "/p/r.cjs" -r "/p/r.cjs"'],
    ]
    if (process.platform === 'win32') cases.splice(4, 1)
    for (const [text, expected] of cases) assert.equal(absoluteNodeOptions(text, preload), expected)
    for (const text of [
      '',
      '--title threadspan/register',
      '-r other',
      '-r',
      '--require "threadspan/register',
      'threadspan/register',
    ]) {
      assert.equal(absoluteNodeOptions(text, preload), text)
    }
  })
})
