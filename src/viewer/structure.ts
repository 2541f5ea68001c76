/** How a span of one group stands to one of the group before: child of, anywhere below, beside it under the same parent. */
export const RELATIONS = ['>>', '>', '~'] as const
export type Relation = (typeof RELATIONS)[number]

/** Groups more than this have no place in a question. */
const MAX_GROUPS = 5

/** A question of structure as text: what stands in the braces, what between them, and what is asked of the number found. */
export interface Parts {
  readonly groups: readonly string[]
  readonly relations: readonly Relation[]
  readonly count: string | undefined
}

/** Whether a search asks for structure: it begins with a brace. */
export function asksForStructure(text: string): boolean {
  return text.trimStart().startsWith('{')
}

/**
 * Takes `{ a } >> { b && c } | count() > 3` apart, in one pass.
 * @returns a sentence for what is not understood
 */
export function takeApart(text: string): Parts | string {
  const groups: string[] = []
  const relations: Relation[] = []
  let at = 0
  const space = (): void => {
    while (at < text.length && /\s/.test(text[at]!)) at++
  }
  for (;;) {
    space()
    if (text[at] !== '{') return 'After “>>”, “>” or “~” a group in braces must follow: {name=a} >> {name=b}'
    const end = closing(text, at + 1)
    if (end < 0) return 'A brace is not closed'
    if (groups.length === MAX_GROUPS) return `A question of structure has at most ${MAX_GROUPS} groups`
    groups.push(text.slice(at + 1, end))
    at = end + 1
    space()
    const relation = RELATIONS.find((each) => text.startsWith(each, at))
    if (relation === undefined) break
    relations.push(relation)
    at += relation.length
  }
  if (at === text.length) return { groups, relations, count: undefined }
  const rest = text.slice(at)
  const counted = /^\|\s*count\(\)\s*((?:[<>]=?|!?=)\s*\d{1,9})\s*$/.exec(rest)
  if (counted === null)
    return `“${rest.slice(0, 40)}” is not understood: after a group comes >>, >, ~ or | count() > 3`
  return { groups, relations, count: counted[1]!.replace(/\s+/g, '') }
}

/** Where the brace closes that opened before `from`, quotes passed over; -1 where it does not. */
function closing(text: string, from: number): number {
  let isQuoted = false
  for (let at = from; at < text.length; at++) {
    if (text[at] === '"') isQuoted = !isQuoted
    else if (text[at] === '}' && !isQuoted) return at
  }
  return -1
}
