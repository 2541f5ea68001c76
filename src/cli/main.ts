#!/usr/bin/env node
import { isThreadspanError, ThreadspanError } from '../core/errors.js'
import { VERSION } from '../core/version.js'
import { tooOldNode } from './node-version.js'
import { usageError } from './usage.js'

const USAGE = `Usage: threadspan <command> [options]

  run      run a program with every thread, pool and child process of it traced
  view     look at traces: live over OTLP, or from files
  demo     run a small service, send it requests and show what is seen of them
  doctor   check this machine and this project for what tracing needs

  threadspan <command> --help tells more; --version prints ${VERSION}
`

/** What a command does with the arguments after its name; resolves to the exit code. */
type Command = (argv: string[]) => Promise<number>

const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./run.js')).run,
  view: async () => (await import('./view.js')).view,
  demo: async () => (await import('./demo.js')).demo,
  doctor: async () => (await import('./doctor.js')).doctor,
}

async function main([name, ...argv]: string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(USAGE)
    return name === undefined ? 2 : 0
  }
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${VERSION}\n`)
    return 0
  }
  if (!Object.hasOwn(commands, name)) throw usageError(`There is no command "${name}"; see threadspan --help`)
  const tooOld = tooOldNode()
  if (tooOld !== undefined) throw new ThreadspanError('THREADSPAN_NODE', tooOld)
  return (await commands[name]!())(argv)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!isThreadspanError(error)) throw error
  process.stderr.write(`threadspan: ${error.message} (${error.code})\n`)
  process.exitCode = error.code === 'THREADSPAN_CLI_USAGE' ? 2 : 1
}
