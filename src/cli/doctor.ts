import { isThreadspanError } from '../core/errors.js'
import { configuredCommand } from '../runtime/configured.js'
import { terminalStyle, writeOut } from '../terminal/terminal.js'
import { parseDoctor } from './doctor/arguments.js'
import { checkCentral } from './doctor/central.js'
import { configurationLines } from './doctor/configuration.js'
import { checkDestination } from './doctor/destination.js'
import { type Finding, note, problem } from './doctor/finding.js'
import { checkTracing } from './doctor/probe.js'
import { examine } from './doctor/program.js'
import { checkProject } from './doctor/project.js'

const USAGE = `Usage: threadspan doctor
       threadspan doctor [options] <script> [arguments]
       threadspan doctor [options] -- <command> [arguments]

Checks this Node.js, the project in the current folder, the environment and the endpoint for what tracing needs, and prints the
configuration that holds, without secrets. Ends with 1 if there is a problem.

Without a program, it traces a small one of its own. With one, it runs that until it ends (or Ctrl-C does), and says what was
followed in it, which Workers and child processes joined and why others did not, and what became of its spans, which are not
sent anywhere. Options of Node.js come after --, as in: threadspan doctor -- node --enable-source-maps app.js

  --for SECONDS  end the program after this time
  -h, --help     print this
`

const MARKS = { ok: ['✓', '32'], note: ['·', '33'], problem: ['✗', '31'] } as const

/**
 * `threadspan doctor`: says what tracing needs and does not have here, and what a program that is run for it does not have.
 *
 * @param argv what stands after `doctor`.
 * @returns 0, or 1 when there is a problem; 126 or 127 where the program cannot be started.
 * @throws ThreadspanError `THREADSPAN_CLI_USAGE`, `THREADSPAN_CLI_INCOMPLETE`.
 */
export async function doctor(argv: string[]): Promise<number> {
  const wanted = parseDoctor(argv)
  if (wanted.help) {
    writeOut(1, USAGE)
    return 0
  }
  const { color } = terminalStyle(1, process.env)
  const { env, notices } = configuredCommand(process.env)
  let problems = 0
  const tell = ({ level, text }: Finding) => {
    if (level === 'problem') problems++
    const [mark, style] = MARKS[level]
    writeOut(1, ` ${color ? `\x1b[${style}m${mark}\x1b[0m` : mark} ${text}\n`)
  }
  const section = (title: string) => writeOut(1, `\n${color ? `\x1b[1m${title}\x1b[0m` : title}\n`)

  const tellConfiguration = () => {
    section('Configuration')
    for (const line of configurationLines(env)) writeOut(1, `   ${line}\n`)
  }

  const tellFile = () => {
    for (const { level, code, message } of notices)
      tell((level === 'error' ? problem : note)(`${message} (${code})`))
  }

  if (wanted.program.length === 0) {
    checkProject(process.cwd()).forEach(tell)
    tellFile()
    for (const finding of await checkDestination(env)) tell(finding)
    for (const finding of await checkCentral(env)) tell(finding)
    tell(await checkTracing())
    tellConfiguration()
    return problems === 0 ? 0 : 1
  }
  try {
    for (const { title, findings } of await examine(wanted, env)) {
      section(title)
      findings.forEach(tell)
    }
  } catch (error) {
    if (!isThreadspanError(error) || error.code !== 'THREADSPAN_CLI_SPAWN') throw error
    process.stderr.write(`threadspan: ${error.message} (${error.code})\n`)
    return (error.cause as NodeJS.ErrnoException).code === 'ENOENT' ? 127 : 126
  }
  section('Endpoint and environment')
  tellFile()
  for (const finding of await checkDestination(env)) tell(finding)
  for (const finding of await checkCentral(env)) tell(finding)
  tellConfiguration()
  return problems === 0 ? 0 : 1
}
