/** The program of the telemetry thread, which `collector.cts` loads: its parts are put together here. */
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { accountMetrics } from '../collector/account-metrics.js'
import { claimReport, reportAccounts } from '../collector/accounts-report.js'
import { AppliedSettings } from '../collector/applied-settings.js'
import { begin } from '../collector/begin.js'
import { openCentral } from '../collector/central/open.js'
import { Collector } from '../collector/collector.js'
import { DefaultSignals } from '../collector/default-signals.js'
import { Delivery } from '../collector/delivery.js'
import type { Destination } from '../collector/destination.js'
import { Detection, detecting } from '../collector/detectors.js'
import { ExportDestination } from '../collector/export-destination.js'
import { followSettingsFile } from '../collector/followed-settings.js'
import { LinkDestination } from '../collector/link-destination.js'
import { MetricsExport } from '../collector/metrics-export.js'
import { Spool } from '../collector/spool.js'
import { stderrLog } from '../collector/stderr-log.js'
import { MainThreadSurfacers, SurfacerThread } from '../collector/surfacer-outlets.js'
import { type SurfacerOutlet, Surfacing } from '../collector/surfacing.js'
import { SurfacingDestination } from '../collector/surfacing-destination.js'
import { ThreadCells } from '../collector/thread-cells.js'
import { readConfig } from '../config/config.js'
import { isDisabled } from '../config/disabled.js'
import { resourceAttributes } from '../config/resource.js'
import { unknownVariables } from '../config/unknown.js'
import { monotonicNow, shareClock, startClock } from '../core/clock.js'
import { createExporter, createLogsExporter, exporterType } from '../export/create.js'
import type { Exporter } from '../export/exporter.js'
import { switched } from '../export/switched.js'
import type { CollectorStart } from '../link/messages.js'
import { encodeResource } from '../otlp/encode.js'
import type { Metric } from '../otlp/metrics-types.js'
import { Accounts, readAccounts } from '../ring/accounts.js'
import { CLOCK, FALLEN, FLUSH_DONE, UNSURFACED } from '../ring/layout.js'
import { settingsNumber } from '../ring/settings.js'
import { HandoverExporter } from '../sdk/handover-exporter.js'

const start = workerData as CollectorStart
startClock(start.anchor)
shareClock(new Int32Array(start.control), CLOCK)
const { config, warnings } = readConfig(process.env)
const applied = new AppliedSettings(new Int32Array(start.control))
const log = stderrLog(() => applied.current.logging_level ?? config.logLevel)
/** Ends the following of an ancestor's settings. */
let unfollow: (() => void) | undefined
const attributes = resourceAttributes(config, start.main)
const resource = encodeResource(attributes)
const spool = config.spool === undefined ? undefined : new Spool(config.spool, resource, log)

const cells = new ThreadCells(new Int32Array(start.control))

function metricsOf(
  spans: Delivery,
  logs: Delivery | undefined,
  detection: Detection | undefined,
): MetricsExport | undefined {
  if (config.metrics === undefined) return undefined
  const told = ({ accounts, signal }: Delivery, of: Parameters<typeof exporterType>[0]): Metric[] =>
    accountMetrics(accounts, exporterType(of, signal), signal)
  return new MetricsExport({
    config: config.metrics,
    resource,
    detection,
    log,
    observe: () => cells.observe(),
    accounts: () => [
      ...told(spans, config),
      ...(logs === undefined || config.logs === undefined ? [] : told(logs, config.logs)),
    ],
    hasProcess: !isDisabled(process.env, 'host-metrics'),
    isOn: () => applied.current.send_metrics !== false,
  })
}

function exporting(): Destination {
  for (const { code, message } of [...warnings, ...unknownVariables(process.env)]) log('warn', code, message)
  const { control, channel } = start
  const words = new Int32Array(control)
  const detection =
    config.detectors.names.length === 0 ? undefined : new Detection(config.detectors, start.main, log)
  const telling = (exporter: Exporter): Exporter =>
    detection === undefined ? exporter : detecting(exporter, detection)
  const own = switched(telling(createExporter(config, log)), () => applied.current.send_traces !== false)
  const logs =
    config.logs === undefined
      ? undefined
      : new Delivery(
          switched(
            telling(createLogsExporter({ ...config.logs, file: config.file }, log)),
            () => applied.current.send_logs !== false,
          ),
          'logs',
          config.logs.batch,
          new Accounts(start.control, 'logs').open(),
          spool,
        )
  const exporter =
    channel === undefined ? own : new HandoverExporter(own, { control, channel, resource: attributes })
  const spans = new Delivery(exporter, 'spans', config.batch, new Accounts(control).open(), spool)
  const to = new ExportDestination(spans, logs, resource, spool, metricsOf(spans, logs, detection))
  const surfacing = new Surfacing(
    outlets(words),
    (count) => Atomics.add(words, UNSURFACED, count),
    () => {
      const lost = Atomics.load(words, UNSURFACED)
      if (lost > 0)
        log(
          'warn',
          'THREADSPAN_SURFACER',
          `${lost} values or ends of transactions were not told to surfacers`,
        )
    },
  )
  unfollow?.()
  const central = openCentral(config, process.env, attributes, applied, log)
  return new SurfacingDestination(to, surfacing, async (deadline) => central?.close(deadline))
}

function outlets(words: Int32Array): SurfacerOutlet[] {
  const { channel } = start
  const all: SurfacerOutlet[] = []
  if (config.surfacers.length > 0)
    all.push(new SurfacerThread(join(__dirname, 'surfacers.cjs'), config.surfacers, config.surfacerUrl, log))
  if (channel !== undefined) all.push(new MainThreadSurfacers(words, channel))
  return all
}

function run(control: Int32Array): void {
  // Whoever waits for it, with the whole main thread perhaps, learns that it does so in vain.
  process.once('exit', () => {
    Atomics.add(control, FALLEN, 1)
    Atomics.notify(control, FLUSH_DONE)
  })
  if (start.link !== undefined && settingsNumber(control) !== 0)
    unfollow = followSettingsFile(start.link, applied)
  const destination =
    start.link === undefined ? exporting() : new LinkDestination(start.link, resource, exporting)
  const report = (): void => {
    if (claimReport(control)) reportAccounts(control, readAccounts(start.control), log, process.env)
  }
  // A process that hands its spans on leaves them to be closed by who reads them.
  const signals = (): DefaultSignals | undefined =>
    start.link === undefined && start.channel !== undefined
      ? new DefaultSignals(control, config.exitTimeout, {
          get isEnding() {
            return collector.isEnding
          },
          deliver: (signal, isEnd) => collector.deliver(signal, isEnd, monotonicNow() + config.exitTimeout),
        })
      : undefined
  const collector = new Collector(
    start,
    parentPort!,
    destination,
    cells,
    report,
    () => heard?.update(),
    () => heard?.close(),
    (folder) => applied.share(folder),
  )
  const heard = signals()
  void collector.run()
}

async function main(control: Int32Array): Promise<void> {
  if (!begin(control)) return
  // What is read from now on is on disk before anything can happen to it.
  if (start.link === undefined) await spool?.prepare()
  run(control)
}

void main(new Int32Array(start.control))
