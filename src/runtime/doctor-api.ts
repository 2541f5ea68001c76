/** Tells the doctor of the copies of OpenTelemetry's API that a watched program uses, however it has loaded them. */

import { API_KEY } from '../core/api-key.js'
import { callingApiVersion } from '../sdk/api-version.js'

/** Look-ups whose caller is asked for: a copy that is used is used early. */
const MOST = 300

/**
 * Tells of the version of each copy of the API that looks for what is registered: also of one that came as an ES module.
 *
 * @param used called once for each version.
 */
export function watchApiUse(used: (version: string) => void): void {
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, API_KEY)
  const lookUp = descriptor?.get
  if (descriptor?.configurable !== true || lookUp === undefined) return
  const seen = new Set<string>()
  let left = MOST
  const get = (): unknown => {
    if (left-- > 0) {
      const version = callingApiVersion(get)
      if (version !== undefined && !seen.has(version)) {
        seen.add(version)
        used(version)
      }
    }
    return lookUp.call(globalThis)
  }
  Object.defineProperty(globalThis, API_KEY, { ...descriptor, get })
}
