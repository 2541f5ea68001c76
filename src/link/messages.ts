/** What the threads of a process tell its collector. */
import type { ThreadMemory } from '../ring/layout.js'
import type { Unsent } from './writer.js'

export type { Unsent } from './writer.js'

/** A thread that writes spans. */
export interface ThreadEntry {
  /** Its number within the process. */
  readonly thread: number
  /** The thread that made it; its end is the end of this one. -1 for the main thread. */
  readonly parent: number
  readonly memory: ThreadMemory
  /** Tells apart the files of those who have read this ring one after the other; 0 for the first. */
  readonly stream?: number
  /** What an earlier reader took out and could not hand on. */
  readonly unsent?: readonly Unsent[]
}

export type CollectorMessage =
  | { readonly type: 'thread'; readonly entry: ThreadEntry }
  /** A thread is gone; `time` in nanoseconds since the epoch. */
  | { readonly type: 'ended'; readonly thread: number; readonly reason: string; readonly time: bigint }
  /** Child processes may write to this folder from now on. */
  | { readonly type: 'folder'; readonly path: string }
  /** A block of a thread's cells, in which it measures. */
  | {
      readonly type: 'cells'
      readonly thread: number
      readonly index: number
      readonly block: SharedArrayBuffer
    }
  | { readonly type: 'child-ended'; readonly pid: number; readonly reason: string; readonly time: bigint }
  /** The process ends; `deadline` in milliseconds of `monotonicNow`. */
  | { readonly type: 'exit'; readonly reason: string; readonly deadline: number }

/** What a collector is started with. */
export interface CollectorStart {
  readonly control: SharedArrayBuffer
  /** The process's clock anchor, in nanoseconds. */
  readonly anchor: bigint
  /** Name of the BroadcastChannel on which threads tell of threads that they made. */
  readonly channel: string | undefined
  readonly messages: readonly CollectorMessage[]
  /** The folder of the process that exports, when this one is its descendant and hands its spans on; else spans are exported here. */
  readonly link: string | undefined
  /** Whether the main thread reads its ring itself, until the collector is ready. */
  readonly isAwaited: boolean
  /** The program's file, for the resource. */
  readonly main: string | undefined
}

/** What a new thread is handed by the one that makes it. */
export interface Handoff extends Connection {
  readonly thread: number
  readonly memory: ThreadMemory
}

/** What connects a thread with its process's relay. */
export interface Connection {
  readonly control: SharedArrayBuffer
  /** The process's clock anchor, in nanoseconds. */
  readonly anchor: bigint
  /** Name of the BroadcastChannel on which threads tell the main thread of threads that they made. */
  readonly channel: string
  /** The exporting ancestor's folder, where this process has one. */
  readonly link: string | undefined
}
