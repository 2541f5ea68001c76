import { callSites } from '../hooks/call-sites.js'
import { LOGS_KEY } from './late-api.js'

/** Of what the global function is asked for: it gives the LoggerProvider of that version of the API. */
const VERSION = 1

type Getter = (version: number) => unknown
type Holder = { [LOGS_KEY]?: Getter | undefined }

/** The API's function that registers; it looks first whether there is one, and gives up if so. */
const REGISTERS = 'setGlobalLoggerProvider'
/** Calls between that and the look. */
const DEPTH = 3
/** Look-ups that are told apart. SDKs register while a program starts. */
const ENOUGH = 10_000

/**
 * Gives the API a LoggerProvider until the application registers one of its own. What asks is told from what registers by the stack, which
 * is looked at when a logger is made, not when it is used.
 *
 * @param provider Called when the first logger is asked for.
 * @param taken Gets what the application has registered.
 */
export function yieldLogsApi(provider: () => unknown, taken: (provider: unknown) => void): void {
  const holder = globalThis as Holder
  if (holder[LOGS_KEY] !== undefined) return
  const noop = { getLogger: () => ({ emit() {}, enabled: () => false }) }
  const getter: Getter = (version) => (version === VERSION ? provider() : noop)
  let lookUps = 0
  Object.defineProperty(holder, LOGS_KEY, {
    get: function get(): Getter | undefined {
      return lookUps++ < ENOUGH && isRegistering(get) ? undefined : getter
    },
    set(given: Getter) {
      Object.defineProperty(holder, LOGS_KEY, {
        value: given,
        writable: true,
        enumerable: true,
        configurable: true,
      })
      if (typeof given === 'function') taken(given(VERSION))
    },
    enumerable: true,
    configurable: true,
  })
}

/** @param getter is being called by who asks. */
function isRegistering(getter: () => unknown): boolean {
  try {
    return callSites(DEPTH, getter)?.some((site) => site.getFunctionName()?.endsWith(REGISTERS)) === true
  } catch {
    return false
  }
}
