/** The collector thread of a process; `relay/process.ts` starts it, and its parts are put together here. */
import { appendFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { type Config, readConfig } from './config/config.js'
import { resourceAttributes } from './config/resource.js'
import { unknownVariables } from './config/unknown.js'
import { shareClock, startClock } from './core/clock.js'
import { type AccountsRecord, DOCTOR, RECORDS_SUFFIX, readTold } from './core/doctor.js'
import { VERSION } from './core/version.js'
import { createExporter, exporterType } from './export/create.js'
import type { ExportLog } from './export/exporter.js'
import { OtlpMetricsExporter } from './export/otlp-metrics.js'
import { PeriodicMetrics } from './export/periodic-metrics.js'
import { encodeResource, encodeScope } from './otlp/encode.js'
import { encodeMetricsRequest } from './otlp/encode-metrics.js'
import { Accounts } from './relay/accounts.js'
import { accountMetrics } from './relay/collector/account-metrics.js'
import { Collector } from './relay/collector/collector.js'
import { ExportDestination } from './relay/collector/export-destination.js'
import { LinkDestination } from './relay/collector/link-destination.js'
import { Spool } from './relay/collector/spool.js'
import { CLOCK } from './relay/layout.js'
import type { CollectorStart } from './relay/messages.js'
import { HandoverExporter } from './sdk/handover-exporter.js'

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

function tellDoctor(folder: string, record: AccountsRecord): void {
  try {
    appendFileSync(join(folder, `accounts-${process.pid}${RECORDS_SUFFIX}`), `${JSON.stringify(record)}\n`)
  } catch {
    // It no longer wants to know.
  }
}

function report(log: ExportLog): (accounts: Accounts) => void {
  return (accounts) => {
    const { made, delivered, dropped } = accounts.read()
    const causes = Object.entries(dropped)
    const { folder } = readTold(process.env[DOCTOR] ?? '') ?? {}
    if (folder !== undefined) tellDoctor(folder, { type: 'accounts', made, delivered, dropped: causes })
    if (causes.length === 0) return
    const lost = causes.reduce((sum, [, count]) => sum + count, 0)
    const told = causes.map((cause) => cause.join(' ')).join(', ')
    log('warn', 'THREADSPAN_DROPPED', `${lost} of ${made} spans did not arrive: ${told}`)
  }
}

const start = workerData as CollectorStart
startClock(start.anchor)
shareClock(new Int32Array(start.control), CLOCK)
const { config, warnings } = readConfig(process.env)
const log = logger(config)
const attributes = resourceAttributes(config, start.main)
const resource = encodeResource(attributes)

function metricsOf(accounts: Accounts): PeriodicMetrics | undefined {
  if (config.metrics === undefined) return undefined
  const scope = encodeScope('threadspan', VERSION)
  const type = exporterType(config.exporters)
  return new PeriodicMetrics(new OtlpMetricsExporter(config.metrics.otlp, log), config.metrics, () =>
    encodeMetricsRequest(resource, scope, accountMetrics(accounts, type)),
  )
}

function exporting(): ExportDestination {
  for (const { code, message } of [...warnings, ...unknownVariables(process.env)]) log('warn', code, message)
  const accounts = new Accounts(start.control).open()
  const spool = config.spool === undefined ? undefined : new Spool(config.spool, log)
  const { control, channel } = start
  const own = createExporter(config, log)
  const exporter =
    channel === undefined ? own : new HandoverExporter(own, { control, channel, resource: attributes })
  return new ExportDestination(exporter, resource, config.batch, accounts, spool, metricsOf(accounts))
}

const destination =
  start.link === undefined ? exporting() : new LinkDestination(start.link, resource, exporting)
void new Collector(start, parentPort!, destination, report(log)).run()
