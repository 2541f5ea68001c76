import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { DOCTOR, DOCTOR_MARK, DOCTOR_PREFIX, PROGRAM } from '../../core/doctor.js'
import { DescendantWatch } from '../../runtime/descendant-watch.js'
import { duration } from '../../trace/text.js'
import { collectorPath, preloadPath } from '../preload.js'
import { exitCodeOf, type ProgramEnd, runProgram } from '../run-program.js'
import { checkChildren, checkWorkers } from './crossings.js'
import { type Finding, note, ok, shownName } from './finding.js'
import { checkFollowed } from './followed.js'
import { nowhere } from './nowhere.js'
import { readRecords } from './records.js'
import { checkSpans } from './spans.js'

/** What to run, and for how long. */
export interface Examination {
  /** The script and its arguments, or the command and its arguments. */
  readonly program: readonly string[]
  /** Whether `program` is a command rather than a script for Node.js. */
  readonly isCommand: boolean
  /** Milliseconds after which the program is ended; undefined lets it run. */
  readonly limit: number | undefined
}

/** Findings under one heading. */
export interface Section {
  readonly title: string
  readonly findings: readonly Finding[]
}

/** Asks for Node's permission model, under which the preload is left out. */
const RESTRICTED = /(?:^|[\s"'=])--(?:experimental-)?permission\b/

/**
 * Runs a program with the preload, as `threadspan run` does, and finds out what was followed, what joined and what became of the spans. They
 * come to us and go nowhere else. Nothing is left behind.
 *
 * @param configured The environment, as a configuration file has it.
 * @throws ThreadspanError `THREADSPAN_CLI_SPAWN`, `THREADSPAN_CLI_INCOMPLETE`.
 */
export async function examine(
  { program, isCommand, limit }: Examination,
  configured: NodeJS.ProcessEnv,
): Promise<Section[]> {
  const preload = preloadPath()
  const folder = await mkdtemp(join(tmpdir(), DOCTOR_PREFIX))
  await writeFile(join(folder, DOCTOR_MARK), '')
  try {
    const spans = join(folder, 'spans.jsonl')
    const told = `${PROGRAM}:${folder}`
    // The program keeps what the environment says of exporters: an SDK of its own goes by it as well.
    const watch = new DescendantWatch(collectorPath(), {
      ...configured,
      ...nowhere(spans),
      OTEL_LOG_LEVEL: 'none',
      [DOCTOR]: told,
    })
    const stop = limit === undefined ? undefined : AbortSignal.timeout(limit)
    const started = performance.now()
    let end: ProgramEnd
    try {
      const watching = {
        env: { ...watch.env, [DOCTOR]: told },
        ended: (pid: number, reason: string) => watch.ended(pid, reason),
      }
      end = await runProgram(program, isCommand, preload, { ...process.env }, watching, stop)
    } finally {
      await watch.finish()
    }
    const took = performance.now() - started
    const watched = await readRecords(folder)
    const isRestricted = [process.env['NODE_OPTIONS'] ?? '', ...program].some((text) => RESTRICTED.test(text))
    return [
      { title: 'Program', findings: [howItEnded(program[0]!, end, took, stop?.aborted === true)] },
      { title: 'Followed', findings: checkFollowed(watched, isRestricted) },
      { title: 'Workers', findings: checkWorkers(watched) },
      { title: 'Child processes', findings: checkChildren(watched) },
      { title: 'Spans', findings: await checkSpans(spans, watched, process.env['TRACEPARENT']) },
    ]
  } finally {
    // A child that outlives the program may be about to write.
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

function howItEnded(file: string, end: ProgramEnd, took: number, isStopped: boolean): Finding {
  const name = shownName(basename(file))
  const time = duration(took)
  if (isStopped) return ok(`${name} was watched for ${time}, and then ended by us`)
  if (end.signal !== null) return note(`${name} was ended by ${end.signal} after ${time}`)
  const code = exitCodeOf(end)
  return (code === 0 ? ok : note)(`${name} ended with exit code ${code} after ${time}`)
}
