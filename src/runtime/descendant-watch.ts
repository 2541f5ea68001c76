/** Looks after processes from outside: for a program that runs another one and outlives it, whatever becomes of that one. */
import { Worker } from 'node:worker_threads'
import { tellUnheard } from '../collector/unheard.js'
import { isCentral } from '../config/is-central.js'
import { readTracingConfig } from '../config/tracing.js'
import { monotonicNow, now, startClock, unixNano } from '../core/clock.js'
import { debug } from '../core/log.js'
import { ANCHOR, LINK } from '../link/format.js'
import type { CollectorMessage, CollectorStart } from '../link/messages.js'
import { makeFolder } from '../link/owner.js'
import { openSettings } from '../link/settings-file.js'
import {
  ABSENT,
  AWAKE,
  CONTROL_BYTES,
  FLUSH_DONE,
  FLUSH_WANTED,
  NEXT_THREAD,
  NOTHING_YET,
  SETTINGS,
  STATE,
  WAKE,
} from '../ring/layout.js'
import { handOnConfiguration } from './configured.js'
import { overlays } from './overlay.js'

/** Milliseconds by which the collector must have given up before its flush is waited for no more. */
const MARGIN = 1000

/** Owns a folder of links and the collector that reads it. Makes no spans of its own. */
export class DescendantWatch {
  /** What the preload of a process that is to be watched must find in its environment. */
  readonly env: Readonly<Record<string, string>>
  private readonly control = new Int32Array(new SharedArrayBuffer(CONTROL_BYTES))
  private readonly exitTimeout: number
  private readonly collector: Worker

  /**
   * @param collector Path of the collector thread's program.
   * @param env Says where spans go, as in the process that is watched.
   * @throws What the file system says, if no folder can be made.
   */
  constructor(
    collector: string,
    private readonly environment: NodeJS.ProcessEnv,
  ) {
    const env = environment
    const anchor = startClock()
    const path = makeFolder()
    handOnConfiguration(path, env, overlayIn(env))
    if (isCentral(env)) {
      openSettings(path)
      Atomics.store(this.control, SETTINGS, NOTHING_YET)
    }
    this.env = { [LINK]: path, [ANCHOR]: String(anchor) }
    this.exitTimeout = readTracingConfig(env).config.exitTimeout
    Atomics.store(this.control, STATE, AWAKE)
    Atomics.store(this.control, NEXT_THREAD, 1)
    const workerData: CollectorStart = {
      control: this.control.buffer as SharedArrayBuffer,
      anchor,
      channel: undefined,
      messages: [{ type: 'folder', path }],
      link: undefined,
      isAwaited: false,
      main: undefined,
    }
    this.collector = new Worker(collector, { name: 'threadspan', workerData, execArgv: [], argv: [], env })
    this.collector.on('error', (error) => debug('collector failed: %s', error))
    this.collector.once('exit', () => {
      Atomics.store(this.control, STATE, ABSENT)
      Atomics.notify(this.control, FLUSH_DONE)
    })
    this.collector.unref()
  }

  private tell(message: CollectorMessage): void {
    this.collector.postMessage(message)
    Atomics.add(this.control, WAKE, 1)
    Atomics.notify(this.control, WAKE)
  }

  /** A process that was watched is gone. @param reason One line: how it ended. */
  ended(pid: number, reason: string): void {
    this.tell({ type: 'child-ended', pid, reason, time: unixNano(now()) })
  }

  /** Delivers everything; bounded in time. */
  async finish(): Promise<void> {
    const { control } = this
    const deadline = monotonicNow() + this.exitTimeout
    this.tell({ type: 'exit', reason: 'process is gone', deadline })
    const wanted = Atomics.add(control, FLUSH_WANTED, 1) + 1
    Atomics.add(control, WAKE, 1)
    Atomics.notify(control, WAKE)
    // A pending waitAsync does not keep the process running.
    const alive = setInterval(() => {}, 1000)
    try {
      for (;;) {
        const done = Atomics.load(control, FLUSH_DONE)
        const left = deadline + MARGIN - monotonicNow()
        if (done >= wanted) break
        const isGone = Atomics.load(control, STATE) === ABSENT
        if (isGone || left <= 0) {
          tellUnheard(control, [], this.environment, isGone ? 'gone' : 'late')
          break
        }
        const wait = Atomics.waitAsync(control, FLUSH_DONE, done, left)
        if (wait.async) await wait.value
      }
      await this.collector.terminate()
    } finally {
      clearInterval(alive)
    }
  }
}

/** What the file has come to, with what the command says in its place. */
function overlayIn(env: NodeJS.ProcessEnv): Record<string, string> | undefined {
  const { current: overlay } = overlays
  return overlay && Object.fromEntries(Object.keys(overlay).map((name) => [name, env[name] ?? '']))
}
