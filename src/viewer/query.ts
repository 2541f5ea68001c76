import { asksForStructure, type Relation, takeApart } from './structure.js'

/** What a term asks of a span's state, as `is:error`. */
export const STATES = ['error', 'ok', 'orphan', 'closed', 'cycle', 'waiting', 'root', 'transaction'] as const
export type State = (typeof STATES)[number]

const OPERATORS = ['!=', '>=', '<=', '=', '>', '<'] as const
export type Operator = (typeof OPERATORS)[number]

/** One condition; a span is found that meets all of them. */
export type Term = { readonly isNot: boolean } & (
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'state'; readonly state: State }
  | {
      readonly type: 'field'
      /** `duration`, `name`, `service`, `host`, `status`, `kind`, `thread`, else the name of an attribute. */
      readonly key: string
      readonly operator: Operator
      /** Lower case. */
      readonly value: string
      /** The value as a number; milliseconds for a duration. NaN where it is none. */
      readonly number: number
    }
)

/** Spans of the last group that stand to one of the group before as it is asked, and so on to the first. */
export interface Structure {
  readonly groups: readonly (readonly Term[])[]
  readonly relations: readonly Relation[]
  /** What is asked of their number in the trace; a term whose key is `count`. */
  readonly count: Extract<Term, { type: 'field' }> | undefined
}

/** What was asked for, and what of it is not understood. */
export interface Query {
  readonly terms: readonly Term[]
  /** Instead of terms. */
  readonly structure?: Structure
  /** One sentence for each thing that is not understood. */
  readonly problems: readonly string[]
}

/** More terms have no place in a search, and each costs a look at every span. */
const MAX_TERMS = 20
const MAX_LENGTH = 1000

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/**
 * Reads a search, which is the same for lists and within a trace: terms with spaces between, all of which must hold for a span.
 *
 * `word`, `"two words"`; `key=value`, `key!=value` (has it, with another value), `key>1`, `key>=1`, `key<1`, `key<=1`;
 * `duration>50ms`; `is:error`; a `-` before a term asks for spans that do not meet it. Upper and lower case are the same.
 * `{ terms } >> { terms }` asks for spans below others, `>` for their children, `~` for their siblings, and
 * `| count() > 3` for a number of them in one trace.
 */
export function parseQuery(text: string): Query {
  const problems: string[] = []
  if (text.length > MAX_LENGTH) problems.push(`A search has at most ${MAX_LENGTH} characters`)
  if (asksForStructure(text)) return parseStructure(text.slice(0, MAX_LENGTH), problems)
  return { terms: readTerms(text, problems), problems }
}

function parseStructure(text: string, problems: string[]): Query {
  const parts = takeApart(text)
  if (typeof parts === 'string') return { terms: [], problems: [...problems, parts] }
  const groups = parts.groups.map((group) => readTerms(group, problems).filter((term) => !isAnd(term)))
  const count = parts.count === undefined ? undefined : readTerm({ text: `count${parts.count}`, plain: 1000 })
  const structure: Structure = {
    groups,
    relations: parts.relations,
    count: typeof count === 'object' && count.type === 'field' ? count : undefined,
  }
  return { terms: [], structure, problems }
}

/** Terms of a group may be joined by `&&`, which says what a space says. */
function isAnd(term: Term): boolean {
  return term.type === 'text' && term.text === '&&'
}

function readTerms(text: string, problems: string[]): Term[] {
  const terms: Term[] = []
  for (const word of words(text.slice(0, MAX_LENGTH))) {
    if (terms.length === MAX_TERMS) {
      problems.push(`A search has at most ${MAX_TERMS} terms`)
      break
    }
    const term = readTerm(word)
    if (typeof term === 'string') problems.push(term)
    else if (term !== undefined) terms.push(term)
  }
  return terms
}

/** A piece of the text between spaces. What was quoted is marked: it holds no operator. */
interface Word {
  text: string
  /** Where an operator may stand at the latest: behind it is quoted. */
  plain: number
}

function words(text: string): Word[] {
  const found: Word[] = []
  let word = ''
  let plain = -1
  let isQuoted = false
  const finish = () => {
    if (word !== '' || plain >= 0) found.push({ text: word, plain: plain < 0 ? word.length : plain })
    word = ''
    plain = -1
  }
  for (const letter of text) {
    if (letter === '"') {
      isQuoted = !isQuoted
      if (plain < 0) plain = word.length
    } else if (!isQuoted && /\s/.test(letter)) finish()
    else word += letter
  }
  finish()
  return found
}

function readTerm({ text, plain }: Word): Term | string | undefined {
  const isNot = text.startsWith('-') && text.length > 1 && plain > 0
  const offset = isNot ? 1 : 0
  const rest = lower(text.slice(offset))
  const end = plain - offset
  if (rest === '') return undefined
  if (rest.startsWith('is:') && end >= 3) {
    const state = rest.slice(3)
    return isState(state)
      ? { type: 'state', state, isNot }
      : `“is:${state}” is not known: there are ${STATES.map((name) => `is:${name}`).join(', ')}`
  }
  const at = firstOperator(rest.slice(0, end))
  if (at === undefined) return { type: 'text', text: rest, isNot }
  // The key of an attribute is told apart by its case.
  const key = text.slice(offset, offset + at.index)
  const value = rest.slice(at.index + at.operator.length)
  if (key === '') return { type: 'text', text: rest, isNot }
  const number = key === 'duration' ? durationOf(value) : value === '' ? Number.NaN : Number(value)
  if (
    (key === 'duration' || at.operator.startsWith('<') || at.operator.startsWith('>')) &&
    Number.isNaN(number)
  ) {
    return key === 'duration'
      ? `“${value}” is not a duration: write it as 50ms, 1.5s or 200us`
      : `“${value}” is not a number, which “${at.operator}” asks for`
  }
  return { type: 'field', key, operator: at.operator, value, number, isNot }
}

function firstOperator(text: string): { index: number; operator: Operator } | undefined {
  for (let index = 0; index < text.length; index++) {
    const operator = OPERATORS.find((each) => text.startsWith(each, index))
    if (operator !== undefined) return { index, operator }
  }
  return undefined
}

/** Milliseconds; NaN where it is no duration. A number alone is milliseconds. */
function durationOf(text: string): number {
  const unit = /[a-zµ]*$/.exec(text)![0]
  const number = text.slice(0, text.length - unit.length)
  return number.trim() === '' ? Number.NaN : Number(number) * (unit === '' ? 1 : (UNITS[unit] ?? Number.NaN))
}

function isState(text: string): text is State {
  return (STATES as readonly string[]).includes(text)
}

/** Whether a value that a span has meets a field's term, whose key names it. */
export function compare(term: Extract<Term, { type: 'field' }>, has: string | number): boolean {
  const { operator, value, number } = term
  const isSame =
    typeof has === 'number' && !Number.isNaN(number) ? has === number : lower(String(has)) === value
  if (operator === '=') return isSame
  if (operator === '!=') return !isSame
  const size = typeof has === 'number' ? has : has.trim() === '' ? Number.NaN : Number(has)
  if (operator === '>') return size > number
  if (operator === '>=') return size >= number
  return operator === '<' ? size < number : size <= number
}

/** Lower case of ASCII letters, whose length in bytes stays: what is encoded is searched as well. */
export function lower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
