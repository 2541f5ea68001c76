/** The thread that calls surfacers by name and from the user's modules; `collector/surfacer-outlets.ts` starts it. */
import { writeSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import type { SurfacersStart } from '../collector/surfacer-outlets.js'
import { type NamedSurfacer, type Surfacer, SurfacerHost } from '../metrics/surfacer.js'
import type { FromSurfacers, ToSurfacers } from '../metrics/surfacer-messages.js'
import { HttpSurfacer } from '../surfacers/http.js'
import { LogSurfacer } from '../surfacers/log.js'

const { names, url, calling } = workerData as SurfacersStart
const port = parentPort!
const words = new Int32Array(calling)

function say(message: FromSurfacers): void {
  port.postMessage(message)
}

/** Straight to the file: a worker's streams are pumped by the main thread, which ends. */
function line(text: string): void {
  try {
    writeSync(2, `${text}\n`)
  } catch {
    // A closed stderr is the application's own decision.
  }
}

function told(error: unknown): string {
  return String((error as Error | undefined)?.message ?? error)
}

/** A surfacer by its name: ours, or what a module exports as default: one, a class of such, or a function that makes one. */
async function surfacerOf(name: string): Promise<Surfacer> {
  if (name === 'log') return new LogSurfacer({ logger: { info: line } })
  if (name === 'http') {
    if (url === undefined) throw new Error('THREADSPAN_SURFACER_URL is not set')
    return new HttpSurfacer({ url, log: (message) => line(`threadspan: ${message} (THREADSPAN_SURFACER)`) })
  }
  const file = name.startsWith('file:') ? name : pathToFileURL(resolve(name)).href
  const { default: given } = (await import(file)) as { default: unknown }
  const made =
    typeof given !== 'function'
      ? given
      : typeof (given.prototype as Surfacer | undefined)?.record === 'function'
        ? new (given as new () => Surfacer)()
        : await (given as () => unknown)()
  if (typeof (made as Surfacer | undefined)?.record !== 'function')
    throw new Error('the module has no default export with a method record')
  return made as Surfacer
}

/** Milliseconds in which the shortest timers have come. */
const TURN = 5

async function main(): Promise<void> {
  const surfacers: NamedSurfacer[] = []
  const waiting: ToSurfacers[] = []
  let host: SurfacerHost | undefined
  const deal = (message: ToSurfacers): void => {
    if (host === undefined) {
      waiting.push(message)
    } else if ('close' in message) {
      const over = performance.timeOrigin + performance.now() + message.close
      // What surfacers have left to itself may fail yet, and that is told.
      void host.close(over).then(() => setTimeout(() => say({ closed: true }), TURN))
    } else {
      host.tell(message.events)
      say({ done: message.events.length })
    }
  }
  port.on('message', deal)
  for (const [i, name] of names.entries()) {
    // A module's own code may hang as well.
    Atomics.store(words, 0, i)
    try {
      surfacers.push({ name, surfacer: await surfacerOf(name) })
    } catch (error) {
      say({ failed: name, message: `it could not be made: ${told(error)}` })
    }
  }
  Atomics.store(words, 0, -1)
  const places = surfacers.map(({ name }) => names.indexOf(name))
  host = new SurfacerHost(
    surfacers,
    (name, error) => say({ failed: name, message: told(error) }),
    (index) => Atomics.store(words, 0, places[index] ?? -1),
  )
  for (const message of waiting.splice(0)) deal(message)
}

// What a surfacer leaves to nobody ends neither this thread nor the others.
process.on('uncaughtException', (error) => say({ failed: names.join(), message: told(error) }))
process.on('unhandledRejection', (error) => say({ failed: names.join(), message: told(error) }))
void main()
