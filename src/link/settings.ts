/** The settings that hold for descendants: a file in the folder that they write to. It is there where settings can change at all. */
import { lstatSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Settings } from '../config/live.js'
import { readSettings } from '../config/settings.js'
import { SETTINGS_FILE } from './settings-file.js'

/** Bytes of a file that is read. */
const MOST_BYTES = 64 * 1024

/** Puts them in the place of those that were there, whole. @throws What the file system says. */
export function writeSettingsFile(folder: string, settings: Settings): void {
  const draft = join(folder, `${SETTINGS_FILE}-${process.pid}`)
  writeFileSync(draft, JSON.stringify(settings), { mode: 0o600 })
  renameSync(draft, join(folder, SETTINGS_FILE))
}

/** The reading side. */
export class SettingsFile {
  private readonly path: string
  private seen = ''
  private last: Settings = {}

  constructor(folder: string) {
    this.path = join(folder, SETTINGS_FILE)
  }

  /** @returns undefined where they are as they were, cannot be read, or are none. */
  read(): Settings | undefined {
    try {
      const { ino, mtimeMs, size } = lstatSync(this.path)
      const mark = `${ino} ${mtimeMs} ${size}`
      if (mark === this.seen || size > MOST_BYTES) return undefined
      this.seen = mark
      this.last = readSettings(JSON.parse(readFileSync(this.path, 'utf8')), this.last).settings
      return this.last
    } catch {
      return undefined
    }
  }
}
