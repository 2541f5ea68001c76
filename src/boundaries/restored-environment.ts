import { MANIFEST } from './manifest.js'
import { isNodeOptionsWith } from './node-options.js'
import type { OwnPreload } from './own-preload.js'

/** What is ever added to an environment, beside `NODE_OPTIONS`. */
const ADDED = /^(?:TRACEPARENT|TRACESTATE|BAGGAGE|THREADSPAN_[A-Z]+)$/

/**
 * Whether a list of changes can be ours: whoever sets the environment may have written it, to have other variables changed (`PATH`), or
 * options of Node's put where they are looked at no more. What is put back into `NODE_OPTIONS` must give what is there with the preload added.
 */
function isManifest(value: unknown, own: OwnPreload): value is Record<string, [string, string | null]> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.entries(value).every(([name, entry]: [string, unknown]) => {
    if (!Array.isArray(entry) || typeof entry[0] !== 'string') return false
    const [added, before] = entry as [string, unknown]
    if (before !== null && typeof before !== 'string') return false
    if (name !== 'NODE_OPTIONS') return ADDED.test(name)
    return isNodeOptionsWith(added, before ?? '', own)
  })
}

function takeManifest(own: OwnPreload): Record<string, [string, string | null]> {
  const text = process.env[MANIFEST]
  if (text === undefined) return {}
  delete process.env[MANIFEST]
  try {
    const manifest: unknown = JSON.parse(text)
    return isManifest(manifest, own) ? manifest : {}
  } catch {
    return {}
  }
}

function put(name: string, value: string | null): void {
  if (value === null) delete process.env[name]
  else process.env[name] = value
}

/**
 * In a child, to be called by the preload: takes the variables that the parent added out of `process.env`, which then is the
 * environment that the parent's program chose. What a program in between (a shell) changed since stays as that program left it.
 *
 * @param own what is added to `NODE_OPTIONS`, by which it is known.
 * @returns the variables with their values, but for `NODE_OPTIONS`; none where the parent is not followed, and at a second call.
 */
export function restoreEnvironment(own: OwnPreload): Record<string, string> {
  const taken: Record<string, string> = Object.create(null)
  for (const [name, [added, before]] of Object.entries(takeManifest(own))) {
    const current = process.env[name]
    if (current === undefined) continue
    if (name !== 'NODE_OPTIONS') taken[name] = current
    if (current === added) put(name, before)
    else if (name === 'NODE_OPTIONS')
      put(
        name,
        current.replace(added, () => before ?? ''),
      )
  }
  return taken
}
