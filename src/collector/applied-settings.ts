import type { Settings } from '../config/live.js'
import { writeSettingsFile } from '../link/settings.js'
import { claimWriting, readSettingsOf, settingsNumber, writeSettings } from '../ring/settings.js'

/** The settings that hold in this process, and in its descendants, as the telemetry thread has set them. */
export class AppliedSettings {
  current: Settings
  private isWriting = false
  private readonly folders = new Set<string>()

  constructor(private readonly control: Int32Array) {
    // One that died may have left some: they hold until others come.
    this.current = readSettingsOf(control, settingsNumber(control)) ?? {}
  }

  apply(settings: Settings): void {
    if (!this.isWriting) claimWriting(this.control)
    this.isWriting = true
    writeSettings(this.control, settings)
    this.current = settings
    for (const folder of this.folders) this.handOn(folder)
  }

  /** Descendants that write to this folder go by them. */
  share(folder: string): void {
    if (settingsNumber(this.control) === 0) return
    this.folders.add(folder)
    this.handOn(folder)
  }

  private handOn(folder: string): void {
    try {
      writeSettingsFile(folder, this.current)
    } catch {
      // No room, or the folder is gone: those that are there hold.
    }
  }
}
