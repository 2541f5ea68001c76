/** How a watched program tells the doctor of files and errors: without folders, arguments or messages, which can be private. */

import { basename, join, sep } from 'node:path'
import type { MadeRecord } from '../core/doctor.js'
import { callSites } from '../hooks/call-sites.js'

/** Characters of a name. */
export const MOST_NAME = 120

/** A file without its folder, which can be long and private. */
export function shortName(file: unknown): string {
  const text = file instanceof URL ? file.pathname : String(file)
  return (text.startsWith('data:') ? 'data:' : basename(text)).slice(0, MOST_NAME)
}

/** The package that a file is part of. */
export function libraryOf(file: string): string | undefined {
  const found = [...file.matchAll(/[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/g)].pop()
  return found?.[1]?.slice(0, MOST_NAME)
}

/** What an error is called. */
export function errorName(error: unknown): string | undefined {
  if (error === undefined || error === null) return undefined
  const { code, name } = error as { code?: unknown; name?: unknown }
  return String(code ?? name ?? 'error').slice(0, MOST_NAME)
}

const NODE = /^node(?:js|\d+)?(?:\.exe)?$/i
const SHELL = /^(?:sh|bash|dash|zsh|ksh|ash|cmd(?:\.exe)?|powershell(?:\.exe)?|pwsh)$/i
const INFORMATION = /^(?:-v|--version|-h|--help|-c|--check|--v8-options|--completion-bash)$/
const RESTRICTED = /(?:^|[\s"'=])--(?:experimental-)?permission\b/

/** What may be told of a child, and what kind of program it is by its looks. */
export function describeChild(file: string, args: readonly string[]): Pick<MadeRecord, 'file' | 'kind'> {
  const name = shortName(file)
  const isNode = file === process.execPath || NODE.test(name)
  if (!isNode) return { file: name, kind: SHELL.test(name) ? 'shell' : 'other' }
  const texts = args.map(String)
  // Of the arguments the program's file alone is told: anything else may be a secret.
  const script =
    texts[0] !== undefined && /^[^-].*\.[cm]?[jt]sx?$/.test(texts[0]) ? ` ${shortName(texts[0])}` : ''
  const isRestricted = [process.env['NODE_OPTIONS'] ?? '', ...texts].some((text) => RESTRICTED.test(text))
  const kind = isRestricted
    ? 'restricted'
    : texts.some((text) => INFORMATION.test(text)) && script === ''
      ? 'information'
      : 'node'
  return { file: `${name}${script}`, kind }
}

/**
 * The first place in the stack that is neither Node's nor the doctor's.
 *
 * @param folder that of the package: undefined is returned where the place is in it.
 */
export function madeAt(folder: string): string | undefined {
  const own = join(folder, 'doctor.cjs')
  for (const site of callSites(30, madeAt) ?? []) {
    const file = site.getFileName()
    if (typeof file !== 'string' || file === own || file.startsWith('node:')) continue
    if (file.startsWith(folder + sep)) return undefined
    return `${shortName(file)}:${site.getLineNumber()}`
  }
  return undefined
}
