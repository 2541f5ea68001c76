/** Has this thread go by settings that change while it runs. Loaded where they can. */
import { type LiveSettings, live, type Settings } from '../config/live.js'
import { matcherOf } from '../config/wildcards.js'
import { SettingsFile } from '../link/settings.js'
import { openSettings } from '../link/settings-file.js'
import { LiveSampler } from '../recorder/live-sampler.js'
import type { Recorder } from '../recorder/recorder.js'
import type { RecordedSpan } from '../recorder/span.js'
import { readSettingsOf, settingsNumber, writeInMain, writeSettings } from '../ring/settings.js'

export interface FollowedThread {
  readonly recorder: Recorder
  readonly control: Int32Array
  /** Whether the environment's sampler follows the parent's decision. */
  readonly isParentBased: boolean
  /** In the main thread of a descendant: the folder in which its settings are. */
  readonly folder: string | undefined
}

/** Milliseconds between two looks at the file, in a process that has no telemetry thread to do so. */
const LOOK = 250

const none = (): undefined => undefined

/** A stack with as many frames of each error in it. */
function cut(stack: string, most: number): string {
  if (most < 0) return stack
  if (most === 0) return ''
  let frames = 0
  return stack
    .split('\n')
    .filter((line) => {
      frames = /^\s+at /.test(line) ? frames + 1 : 0
      return frames <= most
    })
    .join('\n')
}

function liveSettings(values: Settings): LiveSettings {
  const { transaction_ignore_urls: urls = [], transaction_name_groups: groups = [] } = values
  const { deactivate_all_instrumentations: isAll = false, deactivate_instrumentations: names = [] } = values
  const ignored = urls.length === 0 ? none : matcherOf(urls)
  return {
    values,
    isDeactivated: (name) => isAll || names.includes(name),
    isIgnored: (path) => ignored(path) !== undefined,
    stackOf: (stack) => cut(stack, values.stack_trace_limit ?? -1),
    groupOf: groups.length === 0 ? none : matcherOf(groups),
  }
}

export function followSettings({ recorder, control, isParentBased, folder }: FollowedThread): void {
  let seen = 0
  let current = liveSettings({})
  const look = folder === undefined ? undefined : lookAt(folder, control)
  const now = (): LiveSettings => {
    look?.()
    const number = settingsNumber(control)
    if (number === seen) return current
    const values = readSettingsOf(control, number)
    if (values !== undefined) {
      seen = number
      current = liveSettings(values)
      recorder.rename = current.values.transaction_name_groups === undefined ? undefined : rename
    }
    return current
  }
  const rename = (span: RecordedSpan): void => {
    // What has its parent in another thread is a part of that one's transaction.
    if ((span.p0 !== 0 || span.p1 !== 0) && !span.parentIsRemote) return
    const group = current.groupOf(span.name)
    if (group === undefined || group === span.name) return
    span.name = group
    span.prefix = 0
  }
  recorder.sampler = new LiveSampler(recorder.sampler, isParentBased, now)
  live.now = now
  live.open = openSettings
  now()
}

/** Looks at the file from time to time, as something is recorded, until there is a telemetry thread that does. */
function lookAt(folder: string, control: Int32Array): () => void {
  const file = new SettingsFile(folder)
  let lookedAt = Number.NEGATIVE_INFINITY
  return () => {
    const time = performance.now()
    if (time - lookedAt < LOOK) return
    lookedAt = time
    writeInMain(control, () => {
      const settings = file.read()
      if (settings !== undefined) writeSettings(control, settings)
    })
  }
}
