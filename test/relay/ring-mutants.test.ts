// Whether the checks of the ring would notice: copies of it, each broken in one way.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { dist } from '../support/dist.js'
import { checkModel, type RingModules } from './ring-model.js'
import { checkThreads } from './ring-threads.js'
import { Ring, RingReader } from './support.js'

interface Mutant {
  readonly file: 'ring' | 'reader'
  /** Text of the compiled file, there exactly once, and what stands in its place. */
  readonly from: string
  readonly to: string
}

/** What a single thread shows. */
const seenByModel: Record<string, Mutant> = {
  'a record runs past the end of the ring': {
    file: 'ring',
    from: 'offset + size > this.capacity ? this.capacity - offset : 0',
    to: '0',
  },
  'the skipped end is not marked': {
    file: 'ring',
    from: 'this.words[(RING_START + offset) >> 2] = RECORD_WRAP;',
    to: '',
  },
  'the skipped end is not counted': { file: 'ring', from: '(this.head + skip) | 0', to: 'this.head' },
  'the head stays on its first round': {
    file: 'ring',
    from: '(this.head - this.origin) & ~this.mask',
    to: '0',
  },
  'it starts over though not all was read': {
    file: 'ring',
    from: 'if (this.tail !== this.head)',
    to: 'if (false)',
  },
  'the new beginning is not published': {
    file: 'ring',
    from: 'Atomics.store(this.words, ORIGIN, this.origin);',
    to: '',
  },
  'the head is never published': { file: 'ring', from: 'Atomics.store(this.words, HEAD, head);', to: '' },
  'the head is published a record late': {
    file: 'ring',
    from: 'Atomics.store(this.words, HEAD, head);',
    to: 'Atomics.store(this.words, HEAD, this.late ?? head); this.late = head;',
  },
  'a change of scope is forgotten': {
    file: 'ring',
    from: 'this.advance(at + 4);',
    to: '',
  },
  'an ended span stays open': {
    file: 'ring',
    from: 'words[at + SLOT_END] = head;\n            words[at + SLOT_STATE] = CLOSING;\n        }\n        this.publish(head);\n        if (slot !== 0) {',
    to: '}\n        this.publish(head);\n        if (slot !== 0) { this.free.push(slot); return;',
  },
  'the reader goes wrong where the counters overflow': {
    file: 'reader',
    from: 'length > (head - position) >>> 0',
    to: 'length > head - position',
  },
  'the reader joins what lies on both sides of the end': {
    file: 'reader',
    from: 'if (offset + length === mask + 1)',
    to: 'if (false)',
  },
  'the reader misses changes of scope': {
    file: 'reader',
    from: 'this.scope = bytes.readUInt16LE(at + 1);',
    to: ';',
  },
  'the next reader does not know the scope': {
    file: 'reader',
    from: 'this.words[READ_SCOPE] = this.scope;',
    to: '',
  },
  'the tail is not moved': {
    file: 'reader',
    from: 'Atomics.store(this.words, TAIL, this.tail);',
    to: '',
  },
}

/** What needs a second thread. */
const seenByThreads: Record<string, Mutant> = {
  'the head is published before the content': {
    file: 'ring',
    from: 'return RING_START + offset;\n    }\n    /**',
    to: 'Atomics.store(this.words, HEAD, (this.head + size) | 0); return RING_START + offset;\n    }\n    /**',
  },
  'a full ring takes a little more': {
    file: 'ring',
    from: 'if (free >= size) {',
    to: 'if (free + 64 >= size) {',
  },
  'a full ring is not waited for': {
    file: 'ring',
    from: '&& !this.makeRoom(size + skip)',
    to: '&& false',
  },
  'what was skipped stays unpublished': {
    file: 'ring',
    from: 'Atomics.store(words, HEAD, this.head);\n        for (;;) {',
    to: 'for (let once = Atomics.store(words, HEAD, (this.head - 4) | 0);;) {',
  },
  'the tail is moved before the content was taken': {
    file: 'reader',
    from: 'const { bytes, mask } = this;\n        // Read after',
    to: 'const { bytes, mask } = this; Atomics.store(this.words, TAIL, head); Atomics.notify(this.words, TAIL);\n        // Read after',
  },
  'the reader takes the beginning for the old one': {
    file: 'reader',
    from: 'const origin = Atomics.load(this.words, ORIGIN);',
    to: 'const origin = this.before ?? 0; this.before = Atomics.load(this.words, ORIGIN);',
  },
}

const folder = mkdtempSync(join(tmpdir(), 'threadspan test mutants '))
after(() => rmSync(folder, { recursive: true, force: true }))
let made = 0

/** The two sides, one of them broken. */
async function mutated({ file, from, to }: Mutant): Promise<RingModules> {
  const text = readFileSync(fileURLToPath(dist(`ring/${file}.js`)), 'utf8')
  assert.equal(text.split(from).length, 2, `once in ${file}.js: ${from}`)
  const path = join(folder, `${made++}.mjs`)
  writeFileSync(
    path,
    text
      .replace(from, () => to)
      .replaceAll(/from '(\..*)'/g, (_, name: string) => `from '${new URL(name, dist(`ring/${file}.js`))}'`),
  )
  const url = pathToFileURL(path).href
  const broken = (await import(url)) as Partial<RingModules>
  return { Ring, RingReader, ringUrl: file === 'ring' ? url : dist('ring/ring.js'), ...broken }
}

/** Found without the search for the smallest example, and the same way each time. */
const checks = { seed: 1, endOnFailure: true }

describe('a broken ring is found out', { timeout: 120_000 }, () => {
  for (const [name, mutant] of Object.entries(seenByModel)) {
    it(`by the model: ${name}`, async () => {
      const modules = await mutated(mutant)
      assert.throws(() => checkModel(modules, checks))
    })
  }

  for (const [name, mutant] of Object.entries(seenByThreads)) {
    it(`by two threads: ${name}`, async () => {
      await assert.rejects(checkThreads(await mutated(mutant), 30_000, checks))
    })
  }
})
