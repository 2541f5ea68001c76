import { isNodeOptionsWith, nodeOptionsWith } from './node-options.js'
import type { OwnPreload } from './own-preload.js'

/** Names the variables that were added for a child: `{ [name]: [added value, the value before or null] }` in JSON. */
const MANIFEST = 'THREADSPAN_ENVIRONMENT'

/** Asks for Node's permission model, under which a child may read no file that it was not told of: the preload would end it. */
const RESTRICTED = /(?:^|[\s"'=])--(?:experimental-)?permission\b/

/**
 * What to set in a child's environment: the variables handed in, `NODE_OPTIONS` with the preload, and a list of them by which
 * {@link restoreEnvironment} puts back what was there.
 *
 * @param args of the child, among them the command line that a shell is given. A child under the permission model gets the
 *   variables alone, as one that is not a Node process.
 * @param before the value that a variable has in the environment that the application chose for the child.
 */
function additions(
  ours: Readonly<Record<string, string>>,
  args: readonly string[],
  own: OwnPreload,
  before: (name: string) => string | undefined,
): Record<string, string> {
  if ([before('NODE_OPTIONS') ?? '', ...args].some((text) => RESTRICTED.test(text))) return { ...ours }
  const added: Record<string, string> = {
    ...ours,
    NODE_OPTIONS: nodeOptionsWith(before('NODE_OPTIONS'), own),
  }
  const manifest: Record<string, [string, string | null]> = {}
  for (const [name, value] of Object.entries(added)) manifest[name] = [value, before(name) ?? null]
  added[MANIFEST] = JSON.stringify(manifest)
  return added
}

const isCaseBlind = process.platform === 'win32'

function isNamed(entry: string, name: string): boolean {
  return isCaseBlind ? entry.toUpperCase() === name.toUpperCase() : entry === name
}

/**
 * `NAME=value` pairs, as a ChildProcess is spawned with, and ours among them. A new list.
 *
 * @param pairs undefined where the child gets this process's environment.
 */
export function pairsWith(
  pairs: readonly string[] | undefined,
  ours: Readonly<Record<string, string>>,
  args: readonly string[],
  own: OwnPreload,
): string[] {
  const result = pairs ? [...pairs] : Object.entries(process.env).map(([name, value]) => `${name}=${value}`)
  // Windows keeps variables whose name begins with `=`.
  const find = (name: string) =>
    result.findIndex((pair) => isNamed(pair.slice(0, pair.indexOf('=', 1)), name))
  const added = additions(ours, args, own, (name) => {
    const pair = result[find(name)]
    return pair?.slice(pair.indexOf('=', 1) + 1)
  })
  for (const [name, value] of Object.entries(added)) {
    const index = find(name)
    if (index === -1) result.push(`${name}=${value}`)
    else result[index] = `${name}=${value}`
  }
  return result
}

/** An environment object, as in the options of `spawnSync`, with ours. A new object; inherited variables count, as in Node. */
export function environmentWith(
  env: NodeJS.ProcessEnv,
  ours: Readonly<Record<string, string>>,
  args: readonly string[],
  own: OwnPreload,
): NodeJS.ProcessEnv {
  const result: NodeJS.ProcessEnv = Object.create(null)
  for (const name in env) result[name] = env[name]
  const find = (name: string) => (isCaseBlind ? Object.keys(result).find((key) => isNamed(key, name)) : name)
  const added = additions(ours, args, own, (name) => {
    const value: unknown = result[find(name) ?? name]
    return value === undefined ? undefined : `${value}`
  })
  for (const [name, value] of Object.entries(added)) result[find(name) ?? name] = value
  return result
}

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
