import { PROGRAM, type ThreadRecord } from '../../core/doctor.js'
import { FRAMEWORKS } from '../../instrumentation/frameworks/libraries.js'
import { LIBRARIES } from '../../instrumentation/libraries.js'
import { counted, type Finding, grouped, listed, note, ok, problem, shownName } from './finding.js'
import type { Watched } from './records.js'
import { apiRefuses, apiWorks, piscinaIsTested } from './versions.js'

const INSTRUMENTATIONS: readonly string[] = [...LIBRARIES, ...FRAMEWORKS].map(({ name }) => name)

/** What is followed in the threads of a program that was watched, by what they told of themselves. */
export function checkFollowed(watched: Watched, isRestricted: boolean): Finding[] {
  const { threads } = watched
  if (!threads.some(({ id }) => id === PROGRAM)) return [notJoined(isRestricted)]
  const findings: Finding[] = []
  for (const [state, group] of grouped(threads, ({ state }) => state)) {
    if (state === 'records') findings.push(...recording(group))
    else findings.push(notRecording(state as ThreadRecord['state'], group))
  }
  return [...findings, ...checkPools(watched), ...checkSdk(watched), ...checkApis(watched)]
}

function notJoined(isRestricted: boolean): Finding {
  if (isRestricted) {
    return problem(
      "The program runs under Node's permission model, in which it may not read the preload: nothing is followed. Run it without --permission to trace it",
    )
  }
  return problem(
    'The program did not load the preload: nothing is followed. It is no Node.js program, ended before it began, or NODE_OPTIONS was taken from its environment on the way',
  )
}

function named(threads: readonly ThreadRecord[]): string {
  return listed(threads.map(({ name }) => name))
}

/** Threads that record, told apart by what is left out and by how they follow errors. */
function recording(threads: readonly ThreadRecord[]): Finding[] {
  const findings: Finding[] = []
  const groups = grouped(threads, ({ disabled, errors }) => `${errors} ${disabled.join()}`)
  for (const group of groups.values()) {
    const { disabled, errors } = group[0]!
    const on = INSTRUMENTATIONS.filter((name) => !disabled.includes(name)).map((name) =>
      name === 'http' ? 'http (HTTP/2 too)' : name,
    )
    const off = INSTRUMENTATIONS.filter((name) => disabled.includes(name))
    const processes = new Set(group.map(({ pid }) => pid)).size
    const where =
      groups.size > 1
        ? named(group)
        : `${counted(group.length, 'thread')} of ${counted(processes, 'process', 'processes')}`
    findings.push(
      ok(
        `Followed in ${where}: ${['Workers', 'child processes', 'pools', ...on].join(', ')}; errors by ${errors}`,
      ),
    )
    if (off.length > 0)
      findings.push(note(`Left out by OTEL_NODE_DISABLED_INSTRUMENTATIONS: ${off.join(', ')}`))
  }
  return findings
}

function notRecording(state: ThreadRecord['state'], threads: readonly ThreadRecord[]): Finding {
  const who = named(threads)
  if (state === 'old') {
    const nodes = listed(threads.map(({ node }) => node))
    return problem(`${who}: Node ${nodes} is too old, and nothing is followed. 20.19 is needed`)
  }
  if (state === 'memory') {
    return problem(`${who}: no span is made, for there is no SharedArrayBuffer, or the machine is big-endian`)
  }
  if (state === 'disabled') {
    return problem(
      `${who}: no span is made, since OTEL_SDK_DISABLED is true there; take it out of the environment, or of the \`env\` that the Worker or child is given`,
    )
  }
  return problem(
    `${who}: no span is made, since OTEL_TRACES_SAMPLER says always_off there; take it out of the environment, or choose another`,
  )
}

function checkPools({ loaded }: Watched): Finding[] {
  const found = loaded.filter(({ what }) => what === 'piscina')
  if (found.length === 0) return [note('No Piscina was loaded')]
  return [...grouped(found, ({ version, way }) => `${version} ${way}`).values()].map((group) => {
    const { version, way } = group[0]!
    const what = `piscina ${shownName(version)}`
    if (way === 'none')
      return problem(`${what}: its tasks do not carry context; use tracePool(pool), and report it`)
    const how =
      way === 'internals'
        ? 'followed from inside'
        : 'followed through run(), as its inside looks different from what is known'
    if (!piscinaIsTested(version)) return note(`${what}: ${how}. Versions 4.4 to 5 are tested`)
    return ok(`${what}: ${how}`)
  })
}

function checkSdk({ loaded, threads }: Watched): Finding[] {
  const keys = new Set(loaded.filter(({ what }) => what === 'sdk').map(({ thread }) => thread))
  if (keys.size === 0) return [ok('No other OpenTelemetry SDK was registered')]
  const names = named(threads.filter(({ thread }) => keys.has(thread)))
  return [
    note(
      `The application has registered an OpenTelemetry SDK of its own (${names}): it keeps its job, its own exporter and its own instrumentations; here, only the spans of other threads are seen`,
    ),
  ]
}

function checkApis({ loaded }: Watched): Finding[] {
  const found = loaded.filter(({ what }) => what === '@opentelemetry/api')
  if (found.length === 0) {
    return [
      note(
        'No @opentelemetry/api was loaded: only what is followed by itself is traced, unless it is hidden in a bundle',
      ),
    ]
  }
  const versions = [...grouped(found, ({ version }) => version).keys()]
  return versions.map((version) => {
    const what = `@opentelemetry/api ${shownName(version)}`
    if (apiWorks(version)) return ok(what)
    const whose = 'npm ls @opentelemetry/api tells whose it is'
    if (!apiRefuses(version)) return note(`${what}: 1.9 or 1.10 is needed of your own code; ${whose}`)
    return problem(
      `${what} does not know what 1.10 registers: spans that are made with it are lost. Use 1.9 or 1.10; ${whose}`,
    )
  })
}
