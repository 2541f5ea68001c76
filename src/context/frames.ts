/**
 * Entering a context where AsyncLocalStorage keeps its values in frames (`AsyncContextFrame`: Node 24 and later). Node's own `run()`
 * copies the frame, which is a Map, to enter and once more to leave. Here a context is entered by a frame of two words that
 * leads on to the one before, and left by putting that one back.
 *
 * Node does not document frames. They are looked for, and tried out; where anything is other than expected, `run()` is used.
 */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'

/** What Node asks of a frame, beside `disable`: a Map's methods, and its entries for the Map that it makes of the frame and one more. */
interface Frame extends Iterable<readonly [storage: unknown, value: unknown]> {
  get(storage: unknown): unknown
  has(storage: unknown): boolean
}

interface FrameClass {
  current(): Frame | undefined
  set(frame: Frame | undefined): void
}

export interface Frames<T> {
  /** What the storage holds now. */
  current(): T | undefined
  /** Calls `fn` with `value` as what the storage holds, and leaves what others have entered meanwhile, as `run()` does. */
  run<A extends unknown[], R>(value: T, fn: (...args: A) => R, thisArg: unknown, args: A): R
  /** The same for one argument, of which no list is made. */
  call<A, R>(value: T, fn: (argument: A) => R, argument: A): R
}

/** A resource holds the frame that it was made in. */
function findClass(): FrameClass | undefined {
  return new AsyncLocalStorage<number>().run(1, () => {
    const resource = new AsyncResource('threadspan', { requireManualDestroy: true })
    for (const key of Object.getOwnPropertySymbols(resource)) {
      const frame = (resource as unknown as Record<symbol, object | undefined>)[key]
      const Class = frame?.constructor as unknown as Partial<FrameClass> | undefined
      if (
        typeof Class?.current === 'function' &&
        typeof Class.set === 'function' &&
        Class.current() === frame
      )
        return Class as FrameClass
    }
    return undefined
  })
}

/** Whether values are kept on resources instead (Node 22 and earlier): there a storage that ran once costs the thread at each resource. */
const hasResources = '_propagate' in AsyncLocalStorage.prototype

/** @returns undefined where `storage.run` has to do. */
export function framesOf<T>(storage: AsyncLocalStorage<T>): Frames<T> | undefined {
  if (hasResources) return undefined
  try {
    const Class = findClass()
    const frames = Class && makeFrames(Class, storage)
    return frames !== undefined && areSound(frames, storage) ? frames : undefined
  } catch {
    return undefined
  }
}

function makeFrames<T>(Class: FrameClass, storage: AsyncLocalStorage<T>): Frames<T> {
  class ValueFrame implements Frame {
    /** Whether a value of others is to stay away, also when this frame has been left. */
    isLess = false

    constructor(
      public before: Frame | undefined,
      public value: T | undefined,
    ) {}

    get(key: unknown): unknown {
      return key === storage ? this.value : this.before?.get(key)
    }

    has(key: unknown): boolean {
      return key === storage || this.before?.has(key) === true
    }

    disable(key: unknown): void {
      if (key === storage) this.value = undefined
      else if (this.before?.has(key) === true) {
        // The frame before is also that of others, who keep the value.
        this.before = new Map([...this.before].filter(([other]) => other !== key))
        this.isLess = true
      }
    }

    [Symbol.iterator](): Iterator<readonly [storage: unknown, value: unknown]> {
      const entries = this.before === undefined ? [] : [...this.before]
      // The last entry of a key is the one that a Map keeps.
      entries.push([storage, this.value])
      return entries.values()
    }
  }

  const enter = (value: T, before: Frame | undefined): ValueFrame => {
    const frame = new ValueFrame(before instanceof ValueFrame ? before.before : before, value)
    Class.set(frame)
    return frame
  }
  const leave = (frame: ValueFrame, before: Frame | undefined): void => {
    if (Class.current() === frame && !frame.isLess) Class.set(before)
    // Somebody has called `enterWith` or `disable`, which is to last.
    else storage.enterWith(before?.get(storage) as T)
  }
  return {
    current() {
      const frame = Class.current()
      return frame instanceof ValueFrame ? frame.value : storage.getStore()
    },
    run(value, fn, thisArg, args) {
      const before = Class.current()
      const frame = enter(value, before)
      try {
        return fn.apply(thisArg, args)
      } finally {
        leave(frame, before)
      }
    },
    call(value, fn, argument) {
      const before = Class.current()
      const frame = enter(value, before)
      try {
        return fn(argument)
      } finally {
        leave(frame, before)
      }
    },
  }
}

/** Whether values come and go as with `run()`, others' within ours and ours within others'. */
function areSound<T>(frames: Frames<T>, storage: AsyncLocalStorage<T>): boolean {
  const [a, b] = [{}, {}] as [T, T]
  const other = new AsyncLocalStorage<number>()
  const before = storage.getStore()
  const isSound = other.run(1, () =>
    frames.call(
      a,
      (given) =>
        given === 2 &&
        storage.getStore() === a &&
        frames.current() === a &&
        other.getStore() === 1 &&
        other.run(3, () => frames.current() === a && other.getStore() === 3) &&
        frames.run(b, () => storage.getStore() === b && other.getStore() === 1, undefined, []) &&
        storage.getStore() === a,
      2,
    ),
  )
  return isSound && storage.getStore() === before && other.getStore() === undefined
}
