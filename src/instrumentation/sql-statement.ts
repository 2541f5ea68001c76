/** What is shown of an SQL statement: its text without literals, and a summary of few different values. */

/** How a database writes literals. */
export type Dialect = 'postgresql' | 'mysql' | 'sqlite'

/** A statement, as the semantic conventions for database calls describe it. */
export interface Statement {
  /** `db.query.text`: literals are `?`, comments are gone, and lists of literals are one. */
  readonly text: string
  /** `db.query.summary`: operations and what they are done to, in their order; empty where nothing was understood. */
  readonly summary: string
  /** `db.operation.name`, where it is one. */
  readonly operation: string | undefined
  /** `db.collection.name`, where it is one. */
  readonly collection: string | undefined
}

/** Characters of a statement that are read: what comes after them is cut off. */
const MOST_READ = 16_384
/** Characters of text that are shown. */
const MOST_TEXT = 4096
/** Characters of a summary (semantic conventions, "Generating a summary of the query"). */
export const MOST_SUMMARY = 255
/** Statements that are remembered, and the characters of each. */
const MOST_KNOWN = 500
const MOST_KNOWN_LENGTH = 2048

/**
 * One token: white space, line comment, string with its prefix, quoted name, placeholder, number, word, or any one character. The strings of a
 * dialect have a group of their own, and so have comments of several lines, which PostgreSQL nests.
 */
const TOKENS: Readonly<Record<Dialect, RegExp>> = {
  postgresql:
    /(\s+|--[^\n]*)|(\/\*)|([eE]'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*(?:'|$)|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)|((?:[uU]&)?"(?:[^"]|"")*(?:"|$))|(\$\d+|:{1,2}[A-Za-z_]\w*)|((?:\d[\w.]*|\.\d[\w.]*)(?:(?<=[eE])[+-]\d+)?)|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|([\s\S])/y,
  mysql:
    /(\s+|--(?=\s|$)[^\n]*|#[^\n]*)|(\/\*)|((?:[bBxXnN]|_[A-Za-z0-9]+\s*)?'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|"(?:[^"\\]|\\[\s\S]|"")*(?:"|$))|(`(?:[^`]|``)*(?:`|$))|(\?{1,2}|:[A-Za-z_]\w*|@{1,2}[\w.$]+)|((?:\d[\w.]*|\.\d[\w.]*)(?:(?<=[eE])[+-]\d+)?)|([A-Za-z_$\u0080-\uffff][\w$\u0080-\uffff]*)|([\s\S])/y,
  sqlite:
    /(\s+|--[^\n]*)|(\/\*)|([xX]?'(?:[^']|'')*(?:'|$))|("(?:[^"]|"")*(?:"|$)|`(?:[^`]|``)*(?:`|$)|\[[^\]]*(?:\]|$))|(\?\d*|[:@$][A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|((?:\d[\w.]*|\.\d[\w.]*)(?:(?<=[eE])[+-]\d+)?)|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|([\s\S])/y,
}

const known: Readonly<Record<Dialect, Map<string, Statement>>> = {
  postgresql: new Map(),
  mysql: new Map(),
  sqlite: new Map(),
}

/** Never throws, whatever the text is: it is no parser, and shows of what it does not understand no more than of the rest. */
export function readStatement(sql: string, dialect: Dialect): Statement {
  if (sql.length > MOST_KNOWN_LENGTH) return read(sql, dialect)
  const statements = known[dialect]
  const last = statements.get(sql)
  if (last !== undefined) return last
  const statement = read(sql, dialect)
  // Statements with literals in them are all different: the oldest makes room.
  if (statements.size >= MOST_KNOWN) statements.delete(statements.keys().next().value as string)
  statements.set(sql, statement)
  return statement
}

/** A list of literals, and rows of such lists. */
const LIST = /\(\s*\?(?:\s*,\s*\?)+\s*\)/g
const ROWS = /\(\?\)(?:\s*,\s*\(\?\))+/g

function read(sql: string, dialect: Dialect): Statement {
  const source = sql.length > MOST_READ ? sql.slice(0, MOST_READ) : sql
  const pattern = TOKENS[dialect]
  const summary = new Summary()
  let text = ''
  let isSpaced = false
  for (let at = 0; at < source.length; ) {
    pattern.lastIndex = at
    const found = pattern.exec(source) as RegExpExecArray
    const [token, space, comment, string, quoted, placeholder, number, word] = found
    at += token.length
    if (space !== undefined || comment !== undefined) {
      if (comment !== undefined) at = endOfComment(source, at, dialect)
      isSpaced = text !== ''
      continue
    }
    if (isSpaced) text += ' '
    isSpaced = false
    if (string !== undefined) {
      // What follows `$tag$` is text up to the next one.
      if (string.endsWith('$')) at = endOf(source, string, at)
      text += '?'
      summary.other()
    } else if (number !== undefined) {
      text += '?'
      summary.other()
    } else {
      text += token
      if (word !== undefined) summary.word(word)
      else if (quoted !== undefined) summary.name(quoted.slice(quoted.search(/["`[]/) + 1, -1))
      else if (placeholder !== undefined) summary.other()
      else summary.mark(token)
    }
  }
  return {
    text: text.replace(LIST, '(?)').replace(ROWS, '(?)').slice(0, MOST_TEXT),
    ...summary.end(),
  }
}

function endOf(source: string, text: string, from: number): number {
  const at = source.indexOf(text, from)
  return at === -1 ? source.length : at + text.length
}

function endOfComment(source: string, from: number, dialect: Dialect): number {
  if (dialect !== 'postgresql') return endOf(source, '*/', from)
  let at = from
  for (let depth = 1; depth > 0; ) {
    const end = source.indexOf('*/', at)
    if (end === -1) return source.length
    const inner = source.indexOf('/*', at)
    if (inner !== -1 && inner < end) {
      depth++
      at = inner + 2
    } else {
      depth--
      at = end + 2
    }
  }
  return at
}

/** Words that begin a statement, or a part of one that counts as an operation of its own. */
const QUERIES = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'MERGE', 'REPLACE'])
/** Words that begin a statement, whose object is a name that follows one of {@link OBJECTS}. */
const DEFINITIONS = new Set(['CREATE', 'ALTER', 'DROP', 'TRUNCATE'])
const OBJECTS = new Set([
  'TABLE',
  'INDEX',
  'VIEW',
  'DATABASE',
  'SCHEMA',
  'SEQUENCE',
  'FUNCTION',
  'PROCEDURE',
  'TRIGGER',
  'TYPE',
  'ROLE',
  'USER',
  'EXTENSION',
])
/** Words between one of {@link OBJECTS} or `INTO` and the name. */
const BETWEEN = new Set(['IF', 'NOT', 'EXISTS', 'ONLY', 'CONCURRENTLY', 'IGNORE', 'LATERAL', 'LOW_PRIORITY'])
/** Words after which UPDATE, DELETE and REPLACE are no operations: `FOR UPDATE`, `ON DELETE`, `DO UPDATE`, `OR REPLACE`. */
const NOT_BEFORE = new Set(['FOR', 'ON', 'DO', 'OR', 'KEY'])
/** Words that end the list of tables after FROM. */
const AFTER_FROM = new Set([
  'WHERE',
  'GROUP',
  'ORDER',
  'HAVING',
  'LIMIT',
  'OFFSET',
  'UNION',
  'INTERSECT',
  'EXCEPT',
  'SET',
  'VALUES',
  'RETURNING',
  'WINDOW',
  'FETCH',
  'FOR',
])

/** What is in one pair of parentheses. */
interface Frame {
  /** Whether it holds an operation: FROM in `extract(year from ordered)` is none of a query. */
  hasQuery: boolean
  /** Whether a comma goes on with the list of tables. */
  isFrom: boolean
}

/** Reads operations and names out of the words of a statement. */
class Summary {
  private parts = ''
  private readonly operations = new Set<string>()
  private readonly collections = new Set<string>()
  /** Names that the statement itself gives to queries: `WITH name AS (`. */
  private readonly own = new Set<string>()
  private frames: Frame[] = [{ hasQuery: false, isFrom: false }]
  private isStart = true
  private isWith = false
  private isDefinition = false
  private isCall = false
  /** Whether the next name is one that something is done to. */
  private expects = false
  /** The name that is being read, its dots included. */
  private target: string | undefined
  private isAfterDot = false
  private before = ''
  private lastName = ''

  word(word: string): void {
    if (this.continues(word)) return
    this.finishTarget()
    const upper = word.toUpperCase()
    this.keyword(upper, word)
    this.before = upper
  }

  /** A quoted name. */
  name(name: string): void {
    if (this.continues(name)) return
    this.finishTarget()
    if (this.expects) this.beginTarget(name)
    this.lastName = name
    this.before = ''
  }

  other(): void {
    this.finishTarget()
    this.isStart = false
    this.expects = false
    this.before = ''
  }

  mark(mark: string): void {
    if (mark === '.' && this.target !== undefined) {
      this.isAfterDot = true
      return
    }
    this.finishTarget()
    const { frames } = this
    if (mark === '(') {
      if (this.isWith && (this.before === 'AS' || this.before === 'MATERIALIZED')) this.own.add(this.lastName)
      frames.push({ hasQuery: false, isFrom: false })
      this.expects = false
    } else if (mark === ')') {
      if (frames.length > 1) frames.pop()
    } else if (mark === ',') {
      this.expects = frames.at(-1)!.isFrom
    } else if (mark === ';') {
      this.frames = [{ hasQuery: false, isFrom: false }]
      this.isStart = true
      this.isDefinition = false
      this.expects = false
    }
    this.before = mark
  }

  end(): Omit<Statement, 'text'> {
    this.finishTarget()
    const { parts, operations, collections } = this
    return {
      summary: parts,
      operation: operations.size === 1 ? [...operations][0] : undefined,
      collection: operations.size === 1 && collections.size === 1 ? [...collections][0] : undefined,
    }
  }

  /** Whether this is the next part of a name with dots. */
  private continues(name: string): boolean {
    if (!this.isAfterDot) return false
    this.target += `.${name}`
    this.isAfterDot = false
    return true
  }

  private keyword(upper: string, word: string): void {
    const frame = this.frames.at(-1)!
    const isStart = this.isStart
    this.isStart = false
    if (QUERIES.has(upper) && !NOT_BEFORE.has(this.before) && !this.isDefinition) {
      if (upper === 'REPLACE' && !isStart) return
      frame.hasQuery = true
      frame.isFrom = false
      this.operation(upper)
      this.expects = upper === 'UPDATE'
    } else if (isStart) {
      this.begin(upper)
    } else if (upper === 'FROM' && frame.hasQuery && this.before !== 'DISTINCT') {
      frame.isFrom = true
      this.expects = true
    } else if (upper === 'JOIN' || (upper === 'INTO' && frame.hasQuery) || upper === 'USING') {
      this.expects = upper !== 'USING' || this.operations.has('DELETE') || this.operations.has('MERGE')
    } else if (this.isDefinition && OBJECTS.has(upper)) {
      this.add(upper)
      this.isDefinition = false
      this.expects = true
    } else if (AFTER_FROM.has(upper)) {
      frame.isFrom = false
      this.expects = false
    } else if (this.expects && !BETWEEN.has(upper)) {
      this.beginTarget(word)
    } else if (upper !== 'AS') {
      this.lastName = word
    }
  }

  /** The first word of a statement that is no query. */
  private begin(upper: string): void {
    if (upper === 'WITH') {
      this.isWith = true
      return
    }
    this.isDefinition = DEFINITIONS.has(upper)
    this.isCall = upper === 'CALL'
    this.expects = this.isCall
    if (upper === 'EXPLAIN') {
      this.add(upper)
      this.isStart = true
    } else {
      this.operation(upper)
    }
  }

  private operation(name: string): void {
    this.operations.add(name)
    this.add(name)
  }

  private beginTarget(name: string): void {
    this.target = name
    this.expects = false
  }

  private finishTarget(): void {
    const { target } = this
    if (target === undefined) return
    this.target = undefined
    this.isAfterDot = false
    if (this.own.has(target)) return
    if (!this.isCall) this.collections.add(target)
    this.add(target)
  }

  private add(part: string): void {
    const parts = this.parts === '' ? part : `${this.parts} ${part}`
    if (parts.length <= MOST_SUMMARY) this.parts = parts
  }
}
