import { counted, cut, type Finding, grouped, listed, note, ok, problem, shownName } from './finding.js'
import type { Made, Watched } from './records.js'

/** Which Workers have joined, and why the others have not. */
export function checkWorkers({ made }: Watched): Finding[] {
  const workers = made.filter(({ type }) => type === 'worker')
  if (workers.length === 0) return [note('No Worker was made')]
  const joined = workers.filter(({ joined }) => joined.length > 0)
  const rest = workers.filter(({ joined }) => joined.length === 0)
  return [...summary(joined, rest, 'Worker'), ...told(rest, whyNoWorker)]
}

/** Which children have joined, and why the others have not. */
export function checkChildren({ made }: Watched): Finding[] {
  const children = made.filter(({ type }) => type === 'child')
  if (children.length === 0) return [note('No child process was started')]
  const joined = children.filter(({ joined }) => joined.some(({ state }) => state !== 'old'))
  const rest = children.filter((child) => !joined.includes(child))
  return [...summary(joined, rest, 'child process', 'child processes'), ...told(rest, whyNoChild)]
}

function summary(joined: readonly Made[], rest: readonly Made[], one: string, many?: string): Finding[] {
  if (joined.length === 0) return []
  const names = listed(joined.map(labelOf))
  if (rest.length === 0) return [ok(`${counted(joined.length, one, many)} joined: ${names}`)]
  return [ok(`${joined.length} of ${counted(joined.length + rest.length, one, many)} joined: ${names}`)]
}

/** One finding for all of one name and reason. */
function told(made: readonly Made[], why: (one: Made) => Finding): Finding[] {
  const findings = made.map((one) => ({ name: labelOf(one), finding: why(one) }))
  const groups = grouped(findings, ({ name, finding }) => `${name} ${finding.text}`)
  const lines = [...groups.values()].map((group): Finding => {
    const { name, finding } = group[0]!
    const times = group.length === 1 ? '' : ` ×${group.length}`
    return { level: finding.level, text: `${name}${times}: ${finding.text}` }
  })
  const order = { problem: 0, note: 1, ok: 2 }
  return cut(lines.sort((a, b) => order[a.level] - order[b.level]))
}

function labelOf({ file, library }: Made): string {
  return shownName(library === undefined ? file : `${file} of ${library}`)
}

function whyNoWorker({ state, ended }: Made): Finding {
  if (state === 'helper')
    return note('left alone on purpose, as a helper of a library that never makes a span')
  if (state === 'unseen') {
    return problem(
      'a Worker that was made here is not followed: the class `Worker` was taken before the preload ran. Load threadspan/register before other preloads',
    )
  }
  const error = ended?.error === undefined ? '' : ` (${shownName(ended.error)})`
  if (state === 'refused') {
    return note(
      `could not be made: the constructor threw${error}. It is as without the preload; correct the options that it is given`,
    )
  }
  if (ended === undefined) return note('had not begun to run its program by the end')
  if (ended.terminated) return note('was terminated before it began to run its program')
  return problem(
    `ended with ${ended.exitCode}${error} before the preload ran: another preload in its execArgv or NODE_OPTIONS failed, or called process.exit()`,
  )
}

function whyNoChild({ kind, ended, joined }: Made): Finding {
  if (joined.length > 0) {
    const nodes = listed(joined.map(({ node }) => node))
    return problem(`Node ${nodes} is too old: 20.19 is needed`)
  }
  if (kind === 'information')
    return note('only printed a version or help, or checked a file: it ran no program')
  if (kind === 'restricted') {
    return note(
      "left alone on purpose: it runs under Node's permission model, in which it may not read the preload",
    )
  }
  if (ended?.error !== undefined && ended.exitCode === null && ended.signal === null)
    return note(`could not be started (${shownName(ended.error)})`)
  if (kind === 'other') return note('is not Node.js, and ran nothing that is')
  if (kind === 'shell') {
    return note(
      'a shell, of which no Node.js program joined. If it ran one: its environment was cleared on the way (`env -i`, `sudo`), or NODE_OPTIONS set anew; hand NODE_OPTIONS on',
    )
  }
  if (ended === undefined) return note('had not begun to run its program by the end')
  if (ended.exitCode === 9) {
    return problem('Node refused its arguments or NODE_OPTIONS (exit code 9) before the preload ran')
  }
  const how = ended.signal === null ? `with ${ended.exitCode}` : `by ${ended.signal}`
  return problem(
    `ended ${how} and did not load the preload. Another preload failed before it, NODE_OPTIONS was taken from its environment on the way, or it is built to ignore NODE_OPTIONS`,
  )
}
