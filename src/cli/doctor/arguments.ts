import { ownLength } from '../run-arguments.js'
import { parseArguments, usageError, wholeNumber } from '../usage.js'
import type { Examination } from './program.js'

/** The longest time for `--for`, in seconds: a day. */
const MOST_SECONDS = 86_400

/** What `threadspan doctor` is asked to do. */
export interface DoctorArguments extends Examination {
  readonly help: boolean
}

/** @throws ThreadspanError `THREADSPAN_CLI_USAGE`. */
export function parseDoctor(argv: readonly string[]): DoctorArguments {
  const length = ownLength(argv, ['--for'])
  const { values } = parseArguments({
    args: argv.slice(0, length),
    options: { help: { type: 'boolean', short: 'h' }, for: { type: 'string' } },
    strict: true,
    allowPositionals: false,
  })
  const isCommand = argv[length] === '--'
  const program = argv.slice(isCommand ? length + 1 : length)
  const seconds = values.for === undefined ? undefined : wholeNumber('--for', values.for, 1, MOST_SECONDS)
  if (program.length === 0 && (isCommand || seconds !== undefined) && values.help !== true)
    throw usageError('There is nothing to run: name a script, or a command after --')
  return {
    help: values.help === true,
    program,
    isCommand,
    limit: seconds === undefined ? undefined : seconds * 1000,
  }
}
