import { MANIFEST } from './manifest.js'
import { nodeOptionsWith } from './node-options.js'
import type { OwnPreload } from './own-preload.js'

/** Asks for Node's permission model, under which a child may read no file that it was not told of: the preload would end it. */
const RESTRICTED = /(?:^|[\s"'=])--(?:experimental-)?permission\b/

/**
 * What to set in a child's environment: the variables handed in, `NODE_OPTIONS` with the preload, and a list of them by which
 * `restoreEnvironment` puts back what was there.
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
