/** Runs a framework's program, asks it for its routes, and says what is right of what came. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { cleanEnvironment, fixture, PRELOAD } from '../support/program.js'
import { type ReceivedSpan, Receiver } from '../support/receiver.js'

/** A framework in one version. */
export interface Subject {
  /** As the table shows it. */
  readonly name: string
  /** A file of `test/fixtures/frameworks/apps`. */
  readonly app: string
  /** What the program is told to load. */
  readonly variant: string
  /** How its routes are written: `{}` for hapi's, `[]` for Next's, `:` for all others. */
  readonly parameters?: '{}' | '[]' | ':'
  /** What there is not in it. */
  readonly without?: readonly Cell[]
  /** Matches the file of its handlers in stacks. */
  readonly stack?: RegExp
  /** A folder with all that it needs, where it needs one of its own. */
  readonly folder?: string
  /** Packages that are asked for by another name than they are here by. */
  readonly aliases?: Readonly<Record<string, string>>
}

export const FORMS = ['cjs', 'esm'] as const
export const PLACES = ['main', 'worker', 'child'] as const
export const CELLS = [
  'name',
  'route',
  'status',
  'throws',
  'rejects',
  'answered',
  'refused',
  'own name',
  'no route',
  'middleware',
  'body',
  'stream',
  'task',
] as const
export type Cell = (typeof CELLS)[number]

const SERVER = 2
const ERROR = 2

function template({ parameters = ':' }: Subject, what: string): string {
  const parameter = (name: string): string =>
    parameters === ':' ? `:${name}` : `${parameters[0]}${name}${parameters[1]}`
  return `/orgs/${parameter('org')}/${what}/${parameter('item')}`
}

/** What there is to be asked for, and the status of its answer. */
const ROUTES = { items: 200, throws: 500, rejects: 500, answered: 503, refused: 409, named: 200 } as const

/** Serves, asks, and ends. @returns the spans that came. */
export async function spansOf(
  subject: Subject,
  form: string,
  where: string,
  ask: (base: string) => Promise<void>,
  env: NodeJS.ProcessEnv = {},
): Promise<ReceivedSpan[]> {
  const receiver = await Receiver.start()
  const { app, variant, aliases } = subject
  const folder = aliases === undefined ? (subject.folder ?? '') : folderOf(aliases)
  const child = fork(fixture('frameworks/program.cjs'), [app, variant, form, where, folder], {
    execArgv: ['--require', PRELOAD],
    env: { ...cleanEnvironment(), OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    ...(subject.folder === undefined ? {} : { cwd: subject.folder }),
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000)
  try {
    const [told] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [
      { port?: number } | number | null,
    ]
    assert.ok(typeof told === 'object' && told?.port, `${app} did not begin to serve: ${output}`)
    await ask(`http://127.0.0.1:${told.port}`)
    const exit = once(child, 'exit')
    child.send('end')
    await exit
    return receiver.spans
  } finally {
    clearTimeout(timer)
    child.kill('SIGKILL')
    await receiver.close()
    if (aliases !== undefined) rmSync(folder, { recursive: true })
  }
}

/** A folder in which packages have the names that applications know them by. */
function folderOf(aliases: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'threadspan-frameworks-'))
  writeFileSync(join(folder, 'package.json'), '{}')
  writeFileSync(join(folder, 'load.mjs'), 'export default (name) => import(name)\n')
  for (const [name, path] of Object.entries(aliases)) {
    const link = join(folder, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(resolve(path), link, 'junction')
  }
  return folder
}

/** What came of each cell: undefined where it is right, else what is wrong. */
export async function cellsOf(
  subject: Subject,
  form: string,
  where: string,
): Promise<Map<Cell, string | undefined>> {
  const statuses = new Map<string, number>()
  const spans = await spansOf(subject, form, where, async (base) => {
    for (const what of [...Object.keys(ROUTES), 'nothing']) {
      const path = what === 'nothing' ? '/orgs/acme/nothing/here/7' : `/orgs/acme/${what}/7`
      const response = await fetch(`${base}${path}`, {
        ...(what === 'items' && {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{"what":"x"}',
        }),
      })
      const text = await response.text()
      if (what === 'items') assert.equal(text, 'one two')
      statuses.set(what, response.status)
    }
  })
  const requestFor = (what: string): ReceivedSpan => {
    const found = spans.filter(
      ({ kind, attributes, parentSpanId }) =>
        kind === SERVER && !parentSpanId && String(attributes['url.path']).startsWith(`/orgs/acme/${what}/`),
    )
    assert.equal(found.length, 1, `${found.length} transactions for ${what}`)
    return found[0]!
  }
  const inside = (what: string, name: string): void => {
    const request = requestFor(what)
    const found = spans.filter((span) => span.name === name && span.traceId === request.traceId)
    assert.equal(found.length, 1, `${found.length} spans "${name}" in the trace of ${what}`)
  }
  const errorsOf = (what: string) =>
    spans
      .filter(({ traceId }) => traceId === requestFor(what).traceId)
      .flatMap((span) => span.events.filter(({ name }) => name === 'exception'))
  const failure = (what: string): void => {
    const events = errorsOf(what)
    assert.equal(events.length, 1, `${events.length} errors told`)
    const { attributes } = events[0]!
    assert.equal(attributes['exception.type'], 'RangeError')
    assert.match(String(attributes['exception.stacktrace']), subject.stack ?? /frameworks[\\/]apps[\\/]/)
    assert.equal(requestFor(what).status.code, ERROR)
  }
  const checks: Record<Cell, () => void> = {
    name() {
      for (const what of Object.keys(ROUTES)) {
        if (what === 'named' || subject.without?.includes(what as Cell)) continue
        const method = what === 'items' ? 'POST' : 'GET'
        assert.equal(requestFor(what).name, `${method} ${template(subject, what)}`)
      }
    },
    route() {
      for (const what of Object.keys(ROUTES))
        if (!subject.without?.includes(what as Cell))
          assert.equal(requestFor(what).attributes['http.route'], template(subject, what))
    },
    status() {
      for (const [what, status] of Object.entries({ ...ROUTES, nothing: 404 })) {
        if (subject.without?.includes(what as Cell)) continue
        assert.equal(statuses.get(what), status, `${what} was answered with ${statuses.get(what)}`)
        assert.equal(Number(requestFor(what).attributes['http.response.status_code']), status)
      }
    },
    throws: () => failure('throws'),
    rejects: () => failure('rejects'),
    answered: () => failure('answered'),
    refused() {
      assert.equal(errorsOf('refused').length, 0, 'an answer below 500 is told as an error')
      assert.equal(requestFor('refused').status.code, 0)
    },
    'own name'() {
      assert.equal(requestFor('named').name, 'my own name')
    },
    'no route'() {
      const { name, attributes } = requestFor('nothing')
      assert.equal(name, 'GET')
      assert.equal(attributes['http.route'], undefined)
    },
    middleware: () => inside('items', 'middleware'),
    body: () => inside('items', 'body x'),
    stream: () => inside('items', 'stream'),
    task: () => inside('items', 'task'),
  }
  const cells = CELLS.filter((cell) => !subject.without?.includes(cell))
  return new Map(cells.map((cell) => [cell, wrong(checks[cell])]))
}

function wrong(check: () => void): string | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    return (error as Error).message.split('\n').slice(0, 6).join(' ')
  }
}
