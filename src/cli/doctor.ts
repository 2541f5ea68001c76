import { terminalStyle, writeOut } from '../export/terminal.js'
import { checkDestination } from './doctor/destination.js'
import type { Finding } from './doctor/finding.js'
import { checkTracing } from './doctor/probe.js'
import { checkProject } from './doctor/project.js'
import { parseArguments } from './usage.js'

const USAGE = `Usage: threadspan doctor

Checks this Node.js, the project in the current folder, the environment and the endpoint for what tracing needs, and traces a small
program for real. Ends with 1 if there is a problem.

  -h, --help   print this
`

const MARKS = { ok: ['✓', '32'], note: ['·', '33'], problem: ['✗', '31'] } as const

/**
 * `threadspan doctor`: says what tracing needs and does not have here.
 *
 * @param argv what stands after `doctor`.
 * @returns 0, or 1 when there is a problem.
 * @throws ThreadspanError `THREADSPAN_CLI_USAGE`, `THREADSPAN_CLI_INCOMPLETE`.
 */
export async function doctor(argv: string[]): Promise<number> {
  const { values } = parseArguments({
    args: argv,
    options: { help: { type: 'boolean', short: 'h' } },
    strict: true,
    allowPositionals: false,
  })
  if (values.help === true) {
    writeOut(1, USAGE)
    return 0
  }
  const { color } = terminalStyle(1, process.env)
  let problems = 0
  const tell = ({ level, text }: Finding) => {
    if (level === 'problem') problems++
    const [mark, style] = MARKS[level]
    writeOut(1, ` ${color ? `\x1b[${style}m${mark}\x1b[0m` : mark} ${text}\n`)
  }
  checkProject(process.cwd()).forEach(tell)
  for (const finding of await checkDestination(process.env)) tell(finding)
  tell(await checkTracing())
  return problems === 0 ? 0 : 1
}
