import threads, { type Worker } from 'node:worker_threads'
import { shared } from '../core/shared.js'
import { untracedWorker } from './handoff.js'

type Constructor = typeof Worker

/** Makes a Worker as `Reflect.construct` does. */
export type Construct = (target: Constructor, args: unknown[], newTarget: unknown) => Worker

const state = shared('boundaries.workerClass', () => ({ construct: undefined as Construct | undefined }))

/**
 * Lets `construct` make every Worker that this thread makes from now on. A later call takes the place of an earlier one.
 *
 * A Proxy stands for the class: it keeps name, length, prototype, statics, `instanceof`, subclasses and the error of a call without `new`.
 */
export function constructWorkersBy(construct: Construct): void {
  const isFirst = state.construct === undefined
  state.construct = construct
  if (!isFirst) return
  const original = untracedWorker()
  const followed = new Proxy(original, {
    construct: (target, args, newTarget) => state.construct!(target, args, newTarget),
  })
  redefine(original.prototype, 'constructor', followed)
  redefine(threads, 'Worker', followed)
  process.getBuiltinModule('node:module').syncBuiltinESMExports()
}

/** What makes them now; undefined where it is Node itself. */
export function workersAreConstructedBy(): Construct | undefined {
  return state.construct
}

function redefine(target: object, name: string, value: unknown): void {
  const descriptor = Object.getOwnPropertyDescriptor(target, name)
  Object.defineProperty(target, name, { configurable: true, writable: true, ...descriptor, value })
}
