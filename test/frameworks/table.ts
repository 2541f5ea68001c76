// Prints the table of frameworks: every cell is run.
// Usage: node build/test/frameworks/table.js [part of a name ...]
import { installedSubjects } from './install.js'
import { CELLS, cellsOf, FORMS, PLACES } from './run.js'
import { SUBJECTS } from './subjects.js'

const wanted = process.argv.slice(2)
const all = [...SUBJECTS, ...installedSubjects()].sort((a, b) => a.name.localeCompare(b.name))
const subjects = all.filter(
  ({ name }) => wanted.length === 0 || wanted.some((part) => name.toLowerCase().includes(part.toLowerCase())),
)
let failed = 0
console.log(`| framework | ${CELLS.join(' | ')} |`)
console.log(`|---|${CELLS.map(() => '---|').join('')}`)
for (const subject of subjects) {
  const wrong = new Map<string, Set<string>>()
  const runs = FORMS.flatMap((form) => PLACES.map((where) => [form, where] as const))
  for (const [form, where] of runs) {
    const cells = await cellsOf(subject, form, where).catch(
      (error: Error) => new Map(CELLS.map((cell) => [cell, error.message])),
    )
    for (const [cell, why] of cells) {
      if (why === undefined) continue
      const reasons = wrong.get(cell) ?? new Set()
      wrong.set(cell, reasons)
      reasons.add(`${form} ${where}: ${why}`)
    }
  }
  const shown = CELLS.map((cell) =>
    subject.without?.includes(cell)
      ? ''
      : wrong.has(cell)
        ? `${runs.length - wrong.get(cell)!.size} of ${runs.length}`
        : 'yes',
  )
  console.log(`| ${subject.name} | ${shown.join(' | ')} |`)
  for (const [cell, reasons] of wrong)
    for (const reason of reasons) console.error(`  ${subject.name}: ${cell}: ${reason}`)
  failed += wrong.size
}
if (failed > 0) process.exitCode = 1
