import type { Config, ExporterName, LogsConfig } from '../config/config.js'
import type { LogsExporterName } from '../config/logs.js'
import type { OtlpConfig, OtlpProtocol } from '../config/otlp.js'
import type { Environment } from '../config/variables.js'
import type { Signal } from '../ring/reader.js'
import { terminalStyle } from '../terminal/terminal.js'
import { consoleExporter } from './console.js'
import type { Exporter, ExportLog } from './exporter.js'
import { fanOut } from './fan-out.js'
import { FileExporter } from './file.js'
import { noneExporter } from './none.js'
import { OtlpExporter } from './otlp-exporter.js'
import { waterfallExporter } from './waterfall-exporter.js'

/** What `createExporter` needs beyond the configuration. */
export interface ExporterOptions {
  /** Columns of the terminal; a worker thread cannot find out for itself. */
  readonly columns?: number | undefined
  /** For `NO_COLOR`, `FORCE_COLOR`, `TERM` and `COLUMNS`; `process.env` when it is left out. */
  readonly env?: Environment
}

/** The parts of the configuration that exporters need. */
export type ExporterConfig = Pick<Config, 'exporters' | 'otlp' | 'file'>

function create(
  name: ExporterName,
  config: ExporterConfig,
  log: ExportLog,
  { columns, env = process.env }: ExporterOptions,
): Exporter {
  switch (name) {
    case 'otlp':
      return new OtlpExporter(config.otlp, log)
    case 'file':
      return new FileExporter(config.file, log)
    case 'console':
      return consoleExporter(log)
    case 'waterfall':
      return waterfallExporter(log, terminalStyle(2, env, columns))
  }
}

/** How the semantic conventions' values of `otel.component.type` for exporters over OTLP begin. */
const OTLP_TYPES: Readonly<Record<OtlpProtocol, string>> = {
  'http/protobuf': 'otlp_http',
  'http/json': 'otlp_http_json',
  grpc: 'otlp_grpc',
}

/**
 * The exporters of a signal as an `otel.component.type`: the semantic conventions have values for OTLP alone, and for others ask for the name
 * of a type.
 */
export function exporterType(
  { exporters, otlp }: { readonly exporters: readonly string[]; readonly otlp: OtlpConfig },
  signal: Signal,
): string {
  const only = exporters.join('_')
  const kind = only === 'otlp' ? OTLP_TYPES[otlp.protocol] : `threadspan_${only || 'none'}`
  return `${kind}_${signal === 'spans' ? 'span' : 'log'}_exporter`
}

/**
 * The exporters that the configuration names, as one. Nothing is opened, and none of Node's larger modules loaded,
 * before the first export.
 * @param log Takes what users are told. It must not throw.
 */
export function createExporter(
  config: ExporterConfig,
  log: ExportLog,
  options: ExporterOptions = {},
): Exporter {
  const exporters = config.exporters.map((name) => create(name, config, log, options))
  if (exporters.length === 0) return noneExporter
  return exporters.length === 1 ? exporters[0]! : fanOut(exporters)
}

/** What `createLogsExporter` needs: `file` is where spans go as well. */
export type LogsExporterConfig = LogsConfig & Pick<Config, 'file'>

/** The same for log records. */
export function createLogsExporter(config: LogsExporterConfig, log: ExportLog): Exporter {
  const make: Readonly<Record<LogsExporterName, () => Exporter>> = {
    otlp: () => new OtlpExporter(config.otlp, log, undefined, 'logs'),
    file: () => new FileExporter(config.file, log, 'logs'),
    console: () => consoleExporter(log, undefined, 'logs'),
  }
  const exporters = config.exporters.map((name) => make[name]())
  return exporters.length === 1 ? exporters[0]! : fanOut(exporters)
}
