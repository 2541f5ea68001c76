import type { Targets } from './target.js'

/** A pool whose tasks wait in a queue of the application's. */
export interface QueuedPool {
  readonly options?: { readonly taskQueue?: object }
}

interface QueuedTask {
  filename: unknown
  name: unknown
}

interface Queue {
  push(task: QueuedTask): unknown
  unshift?(task: QueuedTask): unknown
  shift(): QueuedTask | null | undefined
}

/**
 * Lets a queue of the application's see tasks under the file and name with which they were submitted, as long as they are in it.
 *
 * @param targets of those that go out under another name.
 * @param shim the file that they go out with.
 */
export function showSubmitted(queue: object, targets: Targets, shim: string): void {
  const { push, shift, unshift } = queue as Queue
  if (typeof push !== 'function' || typeof shift !== 'function' || !Object.isExtensible(queue)) return
  const encoded = new WeakMap<QueuedTask, string>()
  const adding = (add: Queue['push']) =>
    function (this: Queue, task: QueuedTask): unknown {
      const target = typeof task?.name === 'string' ? targets.find(task.name) : undefined
      if (target !== undefined && task.filename === shim) {
        encoded.set(task, target.encoded)
        task.filename = target.filename
        task.name = target.name
      }
      return add.call(this, task)
    }
  define(queue, 'push', adding(push))
  if (typeof unshift === 'function') define(queue, 'unshift', adding(unshift))
  define(queue, 'shift', function (this: Queue): QueuedTask | null | undefined {
    const task = shift.call(this)
    const name = task === null || task === undefined ? undefined : encoded.get(task)
    if (name !== undefined) {
      task!.filename = shim
      task!.name = name
    }
    return task
  })
}

function define(queue: object, name: string, value: (...args: never[]) => unknown): void {
  Object.defineProperty(value, 'name', { value: name, configurable: true })
  Object.defineProperty(queue, name, { value, configurable: true, writable: true, enumerable: false })
}
