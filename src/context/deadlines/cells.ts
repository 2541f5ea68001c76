/**
 * How signals cross between the threads of a process: a word of memory that all of them share, where a busy thread sees it too.
 *
 * The newest signals have one, in turn; it holds the signal's number and what has become of it. A number is all that goes along with a task or a message.
 */
import { deadlines } from '../deadline.js'
import { outside } from './contexts.js'
import { type Kind, Relays, Source } from './source.js'

/** The words before them: the process's mark, the number of the last signal, and how often one was aborted. */
const MARK = 0
const LAST = 1
const BELL = 2
const HEAD = 16

/** The highest number. */
const MOST = 0x3fffffff
/** The lower two bits of a word. */
const LIVE = 1
const ABORTED = 2
const TIMED_OUT = 3

/** By which threads of one process know each other: not by the process's number, which others have in containers of theirs. */
export function processMark(): number {
  const { cells } = deadlines
  if (cells === undefined) return process.pid
  if (cells[MARK] === 0) Atomics.compareExchange(cells, MARK, 0, 1 + Math.floor(Math.random() * 0x7fffffff))
  return Atomics.load(cells, MARK)
}

const numbers = new WeakMap<Source, number>()
/** What relays into words. Threads that make many signals give up the oldest ones that may still have theirs. */
const kept = new Relays(1024)

/** The number under which other threads see `source`; 0 where there is no memory for it. */
export function numberOf(source: Source): number {
  const { cells } = deadlines
  if (cells === undefined) return 0
  const known = numbers.get(source)
  if (known !== undefined && stateOf(cells, known) !== 0) return known
  const number = nextNumber(cells)
  const at = cellOf(cells, number)
  const live = (number << 2) | LIVE
  Atomics.store(cells, at, live)
  numbers.set(source, number)
  kept.add(source, (kind) => {
    const told = (number << 2) | (kind === 'timeout' ? TIMED_OUT : ABORTED)
    if (Atomics.compareExchange(cells, at, live, told) !== live) return
    Atomics.add(cells, BELL, 1)
    Atomics.notify(cells, BELL)
  })
  return number
}

/** From 1 to what a word has room for beside the state. */
function nextNumber(cells: Int32Array): number {
  return ((Atomics.add(cells, LAST, 1) >>> 0) % MOST) + 1
}

function cellOf({ length }: Int32Array, number: number): number {
  return HEAD + (number % (length - HEAD))
}

/** 0 where the word is another signal's by now. */
function stateOf(cells: Int32Array, number: number): number {
  const word = Atomics.load(cells, cellOf(cells, number))
  return word >>> 2 === number ? word & 3 : 0
}

/** What is followed in this thread. */
const watched = new Set<CellSource>()
let isWaiting = false

function wait(cells: Int32Array): void {
  if (isWaiting || watched.size === 0) return
  isWaiting = true
  const seen = Atomics.load(cells, BELL)
  for (const source of [...watched]) source.look()
  // Not lost: whoever begins to follow looks for itself first.
  outside(() => {
    const { async, value } = Atomics.waitAsync(cells, BELL, seen)
    const rung = (): void => {
      isWaiting = false
      wait(cells)
    }
    if (async) value.then(rung)
    else queueMicrotask(rung)
  })
}

/** A signal of another thread, by its number. */
export class CellSource extends Source {
  constructor(
    private readonly cells: Int32Array,
    readonly number: number,
  ) {
    super()
    numbers.set(this, number)
  }

  state(): Kind | undefined {
    const state = stateOf(this.cells, this.number)
    return state === TIMED_OUT ? 'timeout' : state === ABORTED ? 'abort' : undefined
  }

  look(): void {
    this.fire()
  }

  protected listen(): void {
    watched.add(this)
    wait(this.cells)
  }

  protected unlisten(): void {
    watched.delete(this)
  }
}
