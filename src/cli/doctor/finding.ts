import { printable } from '../../trace/text.js'

/** What one check of `threadspan doctor` came to. `problem` is what keeps spans from being made or from arriving. */
export interface Finding {
  readonly level: 'ok' | 'note' | 'problem'
  readonly text: string
}

export const ok = (text: string): Finding => ({ level: 'ok', text })
export const note = (text: string): Finding => ({ level: 'note', text })
export const problem = (text: string): Finding => ({ level: 'problem', text })

/** Names that one line tells. */
const MOST_NAMES = 5
/** Findings of one kind. */
const MOST_FINDINGS = 12

/** `3 Workers`; `many` where it is not the word with an s. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/** Names in one line, each once with how often it came, the most frequent first: `resize.js ×4, mail.js and 12 more`. */
export function listed(names: Iterable<string>): string {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  const sorted = [...counts].sort(([, a], [, b]) => b - a)
  const shown = sorted
    .slice(0, MOST_NAMES)
    .map(([name, count]) => (count === 1 ? shownName(name) : `${shownName(name)} ×${count}`))
  const more = sorted.length - shown.length
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** A name of the program's as a terminal may show it: one short line, without control characters. */
export function shownName(name: string): string {
  const plain = printable(name)
  return plain.length > 80 ? `${plain.slice(0, 79)}…` : plain
}

/** The first of a long list, and how many others there are. */
export function cut(findings: readonly Finding[]): Finding[] {
  if (findings.length <= MOST_FINDINGS) return [...findings]
  return [...findings.slice(0, MOST_FINDINGS), note(`and ${findings.length - MOST_FINDINGS} more like these`)]
}

/** What has the same key, together. */
export function grouped<T>(items: Iterable<T>, keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}
