/** The environment as a configuration file has it: read once, in the main thread of the process that exports, and handed on from there. */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { FileNotice, Overlay } from '../config/file/resolve.js'
import { debug } from '../core/log.js'
import { ownFile } from '../core/own-files.js'
import { loadPart } from '../hooks/parts.js'
import { isTrusted } from '../link/owner.js'
import type * as ConfigFilePart from './config-file-part.cjs'
import { configFileOf, overlays } from './overlay.js'

/** In the folder to which descendants write; its owner removes it (`link/owner.ts`). */
const CONFIGURATION_FILE = 'configuration'

/** In a bundle of its own, with the parser of YAML. */
function configFilePart(): typeof ConfigFilePart {
  const file = ownFile('config-file.cjs')
  return loadPart<typeof ConfigFilePart>(dirname(file), 'config-file.cjs')
}

function fileOf(env: NodeJS.ProcessEnv): string | undefined {
  const name = configFileOf(env)
  return name && resolve(name)
}

/**
 * What a main thread goes by.
 * @param link The exporting ancestor's folder, not trusted yet: there is what it has made of the same file.
 * @throws What keeps the code for it from being loaded: without the file nothing may be recorded.
 */
export function configuredEnvironment(env: NodeJS.ProcessEnv, link?: string): NodeJS.ProcessEnv {
  const file = fileOf(env)
  if (file === undefined) return env
  overlays.current ??= inherited(link, file) ?? configFilePart().overlayOf(env)
  return { ...env, ...overlays.current }
}

/** The same for a command, which tells what is wrong with the file in its own way. */
export function configuredCommand(env: NodeJS.ProcessEnv): {
  readonly env: NodeJS.ProcessEnv
  readonly notices: readonly FileNotice[]
} {
  const resolved = fileOf(env) === undefined ? undefined : configFilePart().resolveEnvironment(env)
  overlays.current = resolved?.overlay
  return { env: { ...env, ...resolved?.overlay }, notices: resolved?.notices ?? [] }
}

function inherited(link: string | undefined, file: string): Overlay | undefined {
  try {
    if (link === undefined || !isTrusted(link)) return undefined
    const told = JSON.parse(readFileSync(join(link, CONFIGURATION_FILE), 'utf8'))
    return told.file === file ? told.overlay : undefined
  } catch {
    return undefined
  }
}

/** Hands on to descendants what the file has come to: in a folder that is this user's alone, for it may hold secrets. */
export function handOnConfiguration(
  folder: string,
  env: NodeJS.ProcessEnv,
  overlay = overlays.current,
): void {
  const file = fileOf(env)
  if (file === undefined || overlay === undefined) return
  try {
    writeFileSync(join(folder, CONFIGURATION_FILE), JSON.stringify({ file, overlay }), { mode: 0o600 })
  } catch (error) {
    debug('configuration is not handed on: %s', error)
  }
}
