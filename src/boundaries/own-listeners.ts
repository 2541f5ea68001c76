import type { EventEmitter } from 'node:events'
import { keepListeners } from '../context/emitter.js'
import { inCurrentOrNone } from '../context/in-current.js'
import { untracedWorker } from './handoff.js'

const kept = new WeakSet<object>()

/**
 * Lets listeners on Workers run in the context of whoever added them, and in none where there was none. By themselves they run in that in which
 * the Worker was made: in that of one request, for as long as it lives.
 */
export function keepWorkerListeners(): void {
  keep(untracedWorker().prototype)
}

/** The same for child processes. */
export function keepChildListeners(): void {
  keep(process.getBuiltinModule('node:child_process').ChildProcess.prototype)
}

function keep(prototype: EventEmitter): void {
  if (kept.has(prototype)) return
  kept.add(prototype)
  keepListeners(prototype, inCurrentOrNone)
}
