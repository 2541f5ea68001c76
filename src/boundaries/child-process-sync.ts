import { guarded } from '../hooks/guarded.js'
import { replaceMethod } from '../hooks/replace-method.js'
import { environmentWith } from './child-environment.js'
import type { ChildBoundary } from './child-process.js'
import type { OwnPreload } from './own-preload.js'

type ChildProcessModule = typeof import('node:child_process')
type Form = (this: unknown, ...given: unknown[]) => unknown
type Name = 'spawnSync' | 'execFileSync' | 'execSync'

/** One call of a synchronous form: what is started, and where its options stand among the arguments. */
interface Call {
  readonly file: string
  readonly args: readonly string[]
  readonly options: { env?: NodeJS.ProcessEnv; shell?: unknown }
  readonly at: number
}

/** What Node starts in place of a command line. */
function shellCall(command: string, shell: unknown): { file: string; args: string[] } {
  if (process.platform === 'win32') {
    const file = typeof shell === 'string' ? shell : (process.env['comspec'] ?? 'cmd.exe')
    return {
      file,
      args: /^(?:.*\\)?cmd(?:\.exe)?$/i.test(file) ? ['/d', '/s', '/c', `"${command}"`] : ['-c', command],
    }
  }
  const standard = (process.platform as string) === 'android' ? '/system/bin/sh' : '/bin/sh'
  return { file: typeof shell === 'string' ? shell : standard, args: ['-c', command] }
}

/** An argument as text, without calling into the program: only Node may, and once. */
function plainText(argument: unknown): string {
  return Object(argument) === argument ? '' : String(argument)
}

/** @returns undefined where Node is going to refuse the arguments, in its own words. */
function readCall(name: Name, given: readonly unknown[]): Call | undefined {
  const [file, second] = given
  if (typeof file !== 'string') return undefined
  const isList = Array.isArray(second)
  const at = name !== 'execSync' && (isList || second === undefined || second === null) ? 2 : 1
  const options = given[at] === undefined ? {} : given[at]
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return undefined
  const { env, shell } = options as Call['options']
  if (env && typeof env !== 'object') return undefined
  const args = isList ? second.map(plainText) : []
  const started = name === 'execSync' || shell ? shellCall([file, ...args].join(' '), shell) : { file, args }
  return { ...started, options: options as Call['options'], at }
}

interface Result {
  readonly pid?: number
  readonly status?: number | null
  readonly signal?: string | null
  readonly error?: unknown
  readonly code?: unknown
}

/**
 * Follows the synchronous forms, at the functions that the application calls: inside, Node goes from one to the other without
 * passing anything public. Their names, lengths and errors stay the same.
 */
export function followSync(module: ChildProcessModule, boundary: ChildBoundary, own: OwnPreload): void {
  for (const name of ['spawnSync', 'execFileSync', 'execSync'] as const) {
    replaceMethod<Form>(module, name, (original) => {
      return function (...given) {
        const call = readCall(name, given)
        const opened =
          call &&
          guarded('ChildBoundary.open', () => boundary.open({ file: call.file, args: call.args, sync: true }))
        if (call === undefined || opened === undefined) return Reflect.apply(original, this, given)
        const args = [...given]
        const env = environmentWith(call.options.env || process.env, opened.env, call.args, own)
        args[call.at] = { ...call.options, env }
        const tell = (result: Result) =>
          guarded('ChildBoundary', () => settle(boundary, opened.handle, result))
        let result: unknown
        try {
          result = Reflect.apply(original, this, args)
        } catch (thrown) {
          tell(readThrown(thrown))
          throw thrown
        }
        // The other two throw where the status is not 0, and return what the child wrote, not who it was.
        tell(name === 'spawnSync' ? ((result ?? {}) as Result) : { status: 0 })
        return result
      }
    })
  }
}

/** `execSync` and `execFileSync` throw an error with the fields of `spawnSync`'s result; a `code` only where Node itself failed. */
function readThrown(thrown: unknown): Result {
  if (typeof thrown !== 'object' || thrown === null) return { error: thrown }
  const { pid, status, signal, code } = thrown as Result
  return {
    pid: pid ?? 0,
    status: status ?? null,
    signal: signal ?? null,
    error: code === undefined ? undefined : thrown,
  }
}

function settle(boundary: ChildBoundary, handle: unknown, { pid, status, signal, error }: Result): void {
  if (pid) boundary.started(handle, pid)
  boundary.ended(handle, { exitCode: status ?? null, signal: signal ?? null, error })
}
