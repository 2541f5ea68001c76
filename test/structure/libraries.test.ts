import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { dist } from '../support/dist.js'

const { LIBRARIES } = (await import(
  dist('instrumentation/libraries.js')
)) as typeof import('../../src/instrumentation/libraries.js')

test('the table of docs/instrumentations.md names what is followed, with the versions that are tested', () => {
  const rows = readFileSync('docs/instrumentations.md', 'utf8').matchAll(/^\| `(\w+)` \| (.*?) \| (.*?) \|/gm)
  const documented = [...rows].map(([, name, , versions]) => [name, versions])
  const followed = LIBRARIES.map((library) => [
    library.name,
    'packages' in library ? Object.values(library.packages)[0] : "Node's",
  ])
  assert.deepEqual(documented, followed)
})
