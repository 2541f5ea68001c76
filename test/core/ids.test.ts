import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as ids from '#dist/core/ids.js'
import { dist } from '../support/dist.js'

/** What a program prints that makes ids in its own way. */
function idsOf(code: string, ...flags: string[]): string[] {
  const program = `import { Worker, isMainThread, parentPort } from 'node:worker_threads'
    import { TraceIdentity } from ${JSON.stringify(dist('core/ids.js'))}
    const id = () => TraceIdentity.random().hex
    ${code}`
  const args = [...flags, '--input-type=module', '--eval', program]
  return execFileSync(process.execPath, args, { encoding: 'utf8' }).trim().split('\n')
}

describe('ids', () => {
  it('are none of the program’s `Math.random`: neither made from it nor taken out of its sequence', () => {
    const { random } = Math
    try {
      Math.random = () => assert.fail('it was asked')
      assert.notEqual(ids.randomWord(), ids.randomWord())
      assert.notEqual(ids.TraceIdentity.random().hex, ids.TraceIdentity.random().hex)
    } finally {
      Math.random = random
    }
  })

  it('differ between processes with one --random-seed, and between threads', () => {
    const once = () => idsOf('console.log(id())', '--random-seed=42')[0]
    assert.notEqual(once(), once())
    const threads = idsOf(
      `const code = 'import(' + JSON.stringify(${JSON.stringify(dist('core/ids.js'))}) + ').then(({ TraceIdentity }) => process.getBuiltinModule("node:worker_threads").parentPort.postMessage(TraceIdentity.random().hex))'
       for (let i = 0; i < 4; i++) new Worker(code, { eval: true }).on('message', (id) => console.log(id))`,
      '--random-seed=42',
    )
    assert.equal(new Set(threads).size, 4)
  })

  it('are made where the device may not be read', () => {
    const permission = process.allowedNodeEnvironmentFlags.has('--permission')
      ? '--permission'
      : '--experimental-permission'
    const folder = fileURLToPath(dist('.'))
    const [one, two] = idsOf('console.log(id()); console.log(id())', permission, `--allow-fs-read=${folder}*`)
    assert.match(one!, /^[0-9a-f]{32}$/)
    assert.notEqual(one, two)
  })

  it('have every bit evenly, and no two words alike', () => {
    const ones = new Array<number>(32).fill(0)
    const words = new Set<number>()
    const count = 20_000
    for (let i = 0; i < count; i++) {
      const word = ids.randomWord()
      words.add(word)
      for (let bit = 0; bit < 32; bit++) ones[bit]! += (word >>> bit) & 1
    }
    assert.ok(words.size > count - 5)
    // Six standard deviations.
    for (const one of ones) assert.ok(Math.abs(one - count / 2) < 6 * Math.sqrt(count / 4), String(one))
  })
})
