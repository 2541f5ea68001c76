import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'

/** Names of variables, which look like codes; `docs/reference.md` has them before its codes. */
const reference = readFileSync('docs/reference.md', 'utf8')
const [aboveCodes, codesSection] = reference.split('\n## Codes\n') as [string, string]
const variables = namesIn(aboveCodes.slice(aboveCodes.indexOf('\n## Variables\n')), /`(THREADSPAN_[A-Z_]+)`/g)

const table = readFileSync('src/core/codes.ts', 'utf8')
const declared = namesIn(table, /^ {2}(THREADSPAN_[A-Z_]+): /gm)

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(ts|cts|mts|tsx|mjs)$/.test(file) && file !== join('core', 'codes.ts'))
  .map((file) => readFileSync(join('src', file), 'utf8'))

function namesIn(text: string, pattern: RegExp): Set<string> {
  return new Set([...text.matchAll(pattern)].map((match) => match[1]!))
}

const sorted = (names: Iterable<string>) => [...names].sort()
const isVariable = (name: string) => variables.has(name)

describe('codes', () => {
  it('are those of the table, each used, and none besides', () => {
    const used = new Set<string>()
    for (const text of sources) {
      const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
      for (const name of namesIn(code, /\b(THREADSPAN_[A-Z_]*[A-Z])\b/g))
        if (!isVariable(name)) used.add(name)
    }
    assert.deepEqual(sorted(used), sorted(declared))
  })

  it('stand in comments as in the table', () => {
    const told = sources.flatMap((text) => [...namesIn(text, /\b(THREADSPAN_[A-Z_]*[A-Z])\b(?![_*])/g)])
    assert.deepEqual(
      told.filter((name) => !declared.has(name) && !isVariable(name)),
      [],
    )
  })

  it('are told in the reference, each once, with a meaning and what to do', () => {
    const rows = [...codesSection.matchAll(/^\| (`THREADSPAN_.*?) \| (.+) \| (.+) \|$/gm)]
    const documented = rows.flatMap((row) => [...namesIn(row[1]!, /`(THREADSPAN_[A-Z_]+)`/g)])
    assert.deepEqual(documented.sort(), sorted(declared))
    for (const [, , meaning, advice] of rows) assert.match(`${meaning} ${advice}`, /^.+\. .+\.$/)
  })

  it('are no names of variables, and each has its sentence', () => {
    assert.deepEqual([...declared].filter(isVariable), [])
    const told = namesIn(table, /^ {2}\/\*\* [A-Z`0-9].+\. \*\/\n {2}(THREADSPAN_[A-Z_]+): /gm)
    assert.deepEqual(sorted(told), sorted(declared))
  })
})
