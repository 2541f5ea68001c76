import { SettingsFile } from '../link/settings.js'
import type { AppliedSettings } from './applied-settings.js'

/** Milliseconds between two looks. */
const LOOK = 250

/** Has a descendant go by the settings of the process that exports. @returns ends it. */
export function followSettingsFile(folder: string, applied: AppliedSettings): () => void {
  const file = new SettingsFile(folder)
  const look = (): void => {
    const settings = file.read()
    if (settings !== undefined) applied.apply(settings)
  }
  look()
  const timer = setInterval(look, LOOK).unref()
  return () => clearInterval(timer)
}
