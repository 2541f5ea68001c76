import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What descendants are told of the settings that can change, in the folder that they write to: see `settings.ts`. */
export const SETTINGS_FILE = 'settings'

/** Says that there will be settings, before any descendant is told of the folder. @throws What the file system says. */
export function openSettings(folder: string): void {
  writeFileSync(join(folder, SETTINGS_FILE), '{}', { mode: 0o600 })
}

/** Whether the owner of a folder lets settings change. */
export function hasSettings(folder: string): boolean {
  return existsSync(join(folder, SETTINGS_FILE))
}
