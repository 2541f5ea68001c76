/** The collector thread of a process; `relay/hub.ts` starts it, and its parts are put together here. */
import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { type Config, readConfig } from './config/config.js'
import { resourceAttributes } from './config/resource.js'
import { startClock } from './core/clock.js'
import { createExporter } from './export/create.js'
import type { ExportLog } from './export/exporter.js'
import { encodeResource } from './otlp/encode.js'
import { Collector, type Losses } from './relay/collector/collector.js'
import { ExportDestination } from './relay/collector/export-destination.js'
import { LinkDestination } from './relay/collector/link-destination.js'
import type { CollectorStart } from './relay/messages.js'

const LEVELS = ['none', 'error', 'warn', 'info', 'debug']

/** Straight to the file: at the process's end nobody pumps a worker's streams any more. */
function logger(config: Config): ExportLog {
  const shown = LEVELS.indexOf(config.logLevel)
  return (level, code, message) => {
    if (LEVELS.indexOf(level) > shown) return
    try {
      writeSync(2, `threadspan: ${message} (${code})\n`)
    } catch {
      // A closed stderr is the application's own decision.
    }
  }
}

function reportLosses(log: ExportLog): (losses: Losses) => void {
  return ({ made, dropped }) => {
    let count = 0
    for (const lost of dropped.values()) count += lost
    if (count === 0) return
    const causes = [...dropped].map(([cause, lost]) => `${cause} ${lost}`).join(', ')
    log('warn', 'THREADSPAN_DROPPED', `${count} of ${Math.max(made, count)} spans did not arrive: ${causes}`)
  }
}

const start = workerData as CollectorStart
startClock(start.anchor)
const { config, warnings } = readConfig(process.env)
const log = logger(config)
const resource = encodeResource(resourceAttributes(config, start.main))
if (start.link === undefined) for (const { code, message } of warnings) log('warn', code, message)
const destination =
  start.link === undefined
    ? new ExportDestination(createExporter(config, log), resource, config.batch)
    : new LinkDestination(start.link, resource)
void new Collector(start, parentPort!, destination, reportLosses(log)).run()
