/** Resource detectors of OpenTelemetry's that the application has installed, run in the telemetry thread. */
import { existsSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { DETECTOR_PACKAGES, type DetectorsConfig } from '../config/detectors.js'
import { monotonicNow } from '../core/clock.js'
import type { Batch, Exporter, ExportLog } from '../export/exporter.js'
import { attributesIn } from '../otlp/decode-common.js'
import { encodeResource } from '../otlp/encode.js'

/** Milliseconds that the first exports wait for what detectors find; what is found later is told from then on. */
const PATIENCE = 3000
/** Attributes at most, and characters of each. */
const MOST = 64
const MAX_TEXT = 1024

/** What this needs of a detector, of OpenTelemetry's SDK 1 to 3. */
interface Detector {
  detect(): MaybePromise<{ readonly attributes?: Readonly<Record<string, MaybePromise<unknown>>> }>
}
type MaybePromise<T> = T | Promise<T>

type Found = Record<string, string | number | boolean | string[]>

/** Detectors of machines come before those of what runs on them, which say it more exactly. */
const MACHINE = /(?:Ec2|Vm)Detector$/

/** What detectors have found so far, and the resources that get it. */
export class Detection {
  private found: Found = {}
  /** By detector: a later one says it better. */
  private readonly parts: Found[] = []
  private extended = new WeakMap<Uint8Array, Uint8Array>()
  private release: () => void = () => {}
  /** Fulfilled when all is found that will be, or nobody is to wait any longer. */
  readonly settled: Promise<void>

  /** @param main The program's file: packages are those of the application, never those of the folder that it was started in. */
  constructor(
    { names, installedOnly }: DetectorsConfig,
    main: string | undefined,
    private readonly log: ExportLog,
  ) {
    const waiting = new Promise<void>((resolve) => {
      this.release = resolve
      setTimeout(resolve, PATIENCE).unref()
    })
    const runs = names.map(async (name) => {
      const folder = folderOf(DETECTOR_PACKAGES[name], main)
      if (folder !== undefined) await this.run(name, folder)
      else if (!installedOnly)
        log(
          'warn',
          'THREADSPAN_RESOURCE_DETECTOR',
          `OTEL_NODE_RESOURCE_DETECTORS names "${name}", but the application has no ${DETECTOR_PACKAGES[name]}`,
        )
    })
    this.settled = Promise.race([waiting, Promise.all(runs).then(() => {})])
  }

  /** Nobody waits any longer: the process ends. */
  hurry(): void {
    this.release()
  }

  /** An encoded Resource with what has been found, where it does not say it itself. */
  extend(resource: Uint8Array): Uint8Array {
    if (Object.keys(this.found).length === 0) return resource
    const known = this.extended.get(resource)
    if (known !== undefined) return known
    const own = attributesIn(resource)
    const added = Object.entries(this.found).filter(([key]) => !Object.hasOwn(own, key))
    // Messages of one type that lie end to end are one message, with the elements of both.
    const whole =
      added.length === 0 ? resource : Buffer.concat([resource, encodeResource(Object.fromEntries(added))])
    this.extended.set(resource, whole)
    this.extended.set(whole, whole)
    return whole
  }

  private async run(name: string, folder: string): Promise<void> {
    try {
      const exports: unknown = createRequire(join(folder, 'package.json'))(folder)
      const entries = Object.entries(Object(exports)).filter(([, value]) => isDetector(value))
      entries.sort(([a], [b]) => Number(MACHINE.test(b)) - Number(MACHINE.test(a)))
      await Promise.all(entries.map(([, detector]) => this.take(detector as Detector)))
    } catch (error) {
      const reason = error instanceof Error ? error.message.split('\n', 1)[0] : 'it failed'
      this.log('warn', 'THREADSPAN_RESOURCE_DETECTOR', `The resource detectors of "${name}": ${reason}`)
    }
  }

  /** Each attribute may come in its own time. One that does not come says that this is no such cloud. */
  private async take(detector: Detector): Promise<void> {
    const part: Found = {}
    this.parts.push(part)
    const { attributes = {} } = Object(await detector.detect()) as Awaited<ReturnType<Detector['detect']>>
    await Promise.all(
      Object.entries(attributes)
        .slice(0, MOST)
        .map(async ([key, coming]) => {
          const value = usable(await Promise.resolve(coming).catch(() => undefined))
          if (value === undefined || key.length > MAX_TEXT) return
          part[key] = value
          this.found = Object.assign({}, ...this.parts)
          this.extended = new WeakMap()
        }),
    )
  }
}

/** What an attribute may be, within bounds. */
function usable(value: unknown): Found[string] | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value.slice(0, MAX_TEXT)
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) return undefined
  return value.slice(0, MOST).map((each) => each.slice(0, MAX_TEXT))
}

function isDetector(value: unknown): value is Detector {
  return typeof value === 'object' && value !== null && typeof (value as Detector).detect === 'function'
}

/** The folder of a package that a program's file would get. Node's own search would also look into folders of the user's and of variables. */
function folderOf(name: string, main: string | undefined): string | undefined {
  if (main === undefined || main === '') return undefined
  let file: string
  try {
    file = realpathSync(main)
  } catch {
    return undefined
  }
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name)
    if (existsSync(join(candidate, 'package.json'))) return candidate
    if (folder === dirname(folder)) return undefined
  }
}

/** An exporter whose batches say as well what detectors have found; the first ones wait for it, within bounds. */
export function detecting(exporter: Exporter, detection: Detection): Exporter {
  const extend = (batch: Batch): Batch => ({ ...batch, resource: detection.extend(batch.resource) })
  return {
    export: async (batches, deadline) => {
      // A process that ends has no time for it.
      if (deadline - monotonicNow() > PATIENCE) await detection.settled
      return exporter.export(batches.map(extend), deadline)
    },
    hurry: (deadline) => {
      detection.hurry()
      exporter.hurry?.(deadline)
    },
    get trouble() {
      return exporter.trouble
    },
    close: () => {
      detection.hurry()
      return exporter.close()
    },
  }
}
