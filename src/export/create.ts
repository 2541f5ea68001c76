import type { Config, ExporterName, LogsConfig } from '../config/config.js'
import type { LogsExporterName } from '../config/logs.js'
import type { OtlpProtocol } from '../config/otlp.js'
import type { Environment } from '../config/variables.js'
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

/** The semantic conventions' values of `otel.component.type` for exporters of spans over OTLP. */
const OTLP_TYPES: Readonly<Record<OtlpProtocol, string>> = {
  'http/protobuf': 'otlp_http_span_exporter',
  'http/json': 'otlp_http_json_span_exporter',
  grpc: 'otlp_grpc_span_exporter',
}

/**
 * The exporters that the configuration names as an `otel.component.type`: the semantic conventions have values for OTLP alone, and for
 * others ask for the name of a type.
 */
export function exporterType({ exporters, otlp }: ExporterConfig): string {
  const only = exporters.join('_')
  return only === 'otlp' ? OTLP_TYPES[otlp.protocol] : `threadspan_${only || 'none'}_span_exporter`
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
