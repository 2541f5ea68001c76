import assert from 'node:assert/strict'
import Module from 'node:module'
import { describe, test } from 'node:test'
import { CELLS, type Cell, cellsOf, FORMS, PLACES } from './run.js'
import { SUBJECTS } from './subjects.js'

/** ES modules of libraries are seen where Node shows them: 22.15 and later. */
const HAS_HOOKS = 'registerHooks' in Module

/** What is not known of frameworks that are ES modules alone where those are not seen. */
const UNSEEN: Readonly<Record<string, readonly Cell[]>> = {
  hono: ['name', 'route', 'throws', 'rejects', 'answered'],
  h3: ['name', 'route', 'throws', 'rejects', 'answered'],
  nestjs: ['throws', 'rejects', 'answered'],
}

/** In the main thread those have tests of their own; `npm run test:frameworks` runs every cell. */
const TESTED: ReadonlySet<string> = new Set(['express', 'fastify', 'koa', 'hapi'])

for (const subject of SUBJECTS)
  for (const form of FORMS)
    describe(`${subject.name}, ${form}`, { concurrency: 1 }, () => {
      for (const where of TESTED.has(subject.app) ? (['worker'] as const) : PLACES)
        test(`every cell is right: ${where}`, async () => {
          const cells = await cellsOf(subject, form, where)
          const isUnseen = !HAS_HOOKS && (form === 'esm' || subject.app === 'nestjs')
          const expected = isUnseen ? (UNSEEN[subject.app] ?? []) : []
          const wrong = CELLS.filter((cell) => cells.get(cell) !== undefined)
          assert.deepEqual(wrong, expected, wrong.map((cell) => `${cell}: ${cells.get(cell)}`).join('\n'))
        })
    })
