/** What this thread goes by of the settings that can change while it runs. */
import { shared } from '../core/shared.js'

/** By the names that central configuration has for them; one that is not set is as the environment says. */
export interface SettingValues {
  /** Share of the transactions that begin here which are recorded, from 0 to 1. */
  readonly sampling_rate: number
  /** Whether anything is recorded. */
  readonly recording: boolean
  /** Whether spans, metrics, and log records are sent. */
  readonly send_traces: boolean
  readonly send_metrics: boolean
  readonly send_logs: boolean
  /** The least severe lines that are shown. */
  readonly logging_level: 'none' | 'error' | 'warn' | 'info' | 'debug'
  readonly deactivate_all_instrumentations: boolean
  /** Names of those that make no spans. */
  readonly deactivate_instrumentations: readonly string[]
  /** Patterns of paths whose requests are not recorded. */
  readonly transaction_ignore_urls: readonly string[]
  /** Patterns that become the names of the transactions that match. */
  readonly transaction_name_groups: readonly string[]
  /** Frames of a recorded stack; -1 for all of them, 0 for none. */
  readonly stack_trace_limit: number
  /** Whether spans of databases tell the statement. */
  readonly capture_statement: boolean
  /** Milliseconds between two looks at an OpAMP server. */
  readonly opamp_polling_interval: number
}

export type SettingName = keyof SettingValues

export type Settings = Partial<SettingValues>

/** The settings as a thread asks them. */
export interface LiveSettings {
  readonly values: Settings
  readonly isDeactivated: (instrumentation: string) => boolean
  /** Whether requests for a path, without its query, are not recorded. */
  readonly isIgnored: (path: string) => boolean
  /** What a transaction of this name is to be named. */
  readonly groupOf: (name: string) => string | undefined
  /** What is told of an error's stack; empty for nothing. */
  readonly stackOf: (stack: string) => string
}

export const live = shared('config.live', () => ({
  /** Set where settings can change at all: gives those that hold, at the cost of reading one word where none has changed. */
  now: undefined as (() => LiveSettings) | undefined,
  /** Says in a folder for descendants that there will be settings. */
  open: undefined as ((folder: string) => void) | undefined,
}))

/** Whether an instrumentation is deactivated now. */
export function isDeactivated(instrumentation: string): boolean {
  return live.now?.().isDeactivated(instrumentation) === true
}
