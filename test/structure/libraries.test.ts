import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { FRAMEWORKS } from '#dist/instrumentation/frameworks/libraries.js'
import { INSTRUMENTATIONS } from '#dist/instrumentation/index.js'
import { LIBRARIES } from '#dist/instrumentation/libraries.js'

import { LOGGERS } from '#dist/instrumentation/loggers/index.js'

const FOLLOWED = [...INSTRUMENTATIONS, ...LOGGERS]

test('the table of docs/instrumentations.md names what is followed, with the versions that are tested', () => {
  const rows = readFileSync('docs/instrumentations.md', 'utf8').matchAll(
    /^\| `([\w-]+)` \| (.*?) \| (.*?) \|/gm,
  )
  assert.deepEqual(
    [...rows].map(([, name, , versions]) => [name, versions]),
    FOLLOWED.map(({ name, versions }) => [name, versions]),
  )
})

test('there is an instrumentation for each line of what is noticed', () => {
  assert.deepEqual(
    FOLLOWED.map(({ name }) => name).sort(),
    [...LIBRARIES, ...FRAMEWORKS].map(({ name }) => name).sort(),
  )
})
