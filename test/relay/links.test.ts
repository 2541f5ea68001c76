import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { dist } from '../support/dist.js'

const load = async <T>(file: string) => (await import(dist(file))) as T
const { LinkWriter } = await load<typeof import('../../src/link/writer.js')>('link/writer.js')
const { Links } = await load<typeof import('../../src/collector/links.js')>('collector/links.js')

const folder = mkdtempSync(join(tmpdir(), 'threadspan test links '))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Beyond what any system numbers its processes with: these are gone. */
const FIRST = 2 ** 30 + 1
const start = Buffer.from(
  '0a9080000af7651916cd43dd8448eb211c80319c12888000b7ad6b7169203331308100390102030405060708' +
    '50008501010100002a026162',
  'hex',
)

/** The file of a process with that number, in which a span is open. */
function write(pid: number, ended: [number, string][] = []): void {
  const writer = new LinkWriter(folder, '0-0', Buffer.from([pid - FIRST]))
  writer.scope(0, Buffer.from('a'), '')
  writer.opened({ scope: 0, start })
  for (const [child, reason] of ended) writer.childEnded(child, reason, 5n)
  writer.flush()
  writer.close()
  renameSync(writer.path, join(folder, `${pid}-0-0.link`))
}

it('believes what one process tells of the end of another, in whichever file it is read first', () => {
  write(FIRST)
  write(FIRST + 1, [
    [FIRST, 'told of the first'],
    [FIRST + 3, 'told of the last'],
  ])
  write(FIRST + 2)
  write(FIRST + 3, [[FIRST + 2, 'told of the third']])
  const reasons: Record<number, string> = {}
  const links = new Links(folder, {
    lost: () => assert.fail('nothing is lost'),
    process: (resource) => ({
      scope() {},
      spans(_scope, bytes) {
        const text = Buffer.from(bytes).toString('latin1')
        // Behind the text follows the tag of the status, a z.
        reasons[resource[0]!] = /(told of the [a-z]+|process is gone)z/.exec(text)![1]!
      },
      end() {},
    }),
  })
  links.read(true)
  assert.deepEqual(reasons, {
    0: 'told of the first',
    1: 'process is gone',
    2: 'told of the third',
    3: 'told of the last',
  })
})
