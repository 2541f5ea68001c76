import { parseArguments, usageError } from './usage.js'

export const RUN_USAGE = `Usage: threadspan run [options] <script> [arguments]
       threadspan run [options] -- <command> [arguments]

Runs a Node.js script, or any command that starts Node.js, with every request, worker thread, pool and child process
traced. Without an OTLP endpoint in the environment the trace that has most to show is drawn at the end.

  --service NAME   service.name of what is traced (OTEL_SERVICE_NAME)
  --transaction NAME
                   one transaction for the whole run, where the program has none of its own
  --file FILE      also write the spans to FILE, as OTLP JSON lines
  --view           open a viewer, which in a terminal stays until Ctrl-C
  -q, --quiet      print nothing of our own
  -h, --help       print this
`

/** What `threadspan run` is asked to do. */
export interface RunArguments {
  readonly help: boolean
  readonly view: boolean
  readonly quiet: boolean
  readonly file: string | undefined
  readonly service: string | undefined
  /** What the transaction of the whole run is called; undefined for none. */
  readonly transaction: string | undefined
  /** The script and its arguments, or the command and its arguments. */
  readonly program: readonly string[]
  /** Whether `program` is a command rather than a script for Node.js. */
  readonly isCommand: boolean
}

const options = {
  help: { type: 'boolean', short: 'h' },
  view: { type: 'boolean' },
  quiet: { type: 'boolean', short: 'q' },
  file: { type: 'string' },
  service: { type: 'string' },
  transaction: { type: 'string' },
} as const

/**
 * How many arguments are ours: all up to the script, or to `--`. What comes after is the program's own, whatever it looks like.
 *
 * @param withValue the options that take the next argument as their value.
 */
export function ownLength(argv: readonly string[], withValue: readonly string[]): number {
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i]!
    if (argument === '--' || !argument.startsWith('-')) return i
    if (withValue.includes(argument)) i++
  }
  return argv.length
}

/** @throws ThreadspanError `THREADSPAN_CLI_USAGE`. */
export function parseRun(argv: readonly string[]): RunArguments {
  const length = ownLength(argv, ['--file', '--service', '--transaction'])
  const { values } = parseArguments({
    args: argv.slice(0, length),
    options,
    strict: true,
    allowPositionals: false,
  })
  const isCommand = argv[length] === '--'
  const program = argv.slice(isCommand ? length + 1 : length)
  const help = values.help === true
  if (program.length === 0 && !help)
    throw usageError('There is nothing to run: name a script, or a command after --')
  return {
    help,
    view: values.view === true,
    quiet: values.quiet === true,
    file: values.file,
    service: values.service,
    transaction: values.transaction,
    program,
    isCommand,
  }
}
