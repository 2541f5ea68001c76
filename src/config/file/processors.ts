/** Processors of spans and of log records in a configuration file, as variables. */
import { fileURLToPath } from 'node:url'
import { otlp, type Variables } from './exporters.js'
import { ConfigFileError, type Section } from './section.js'

/** Exporters of the schema by our names for them. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ['otlp_http', 'otlp'],
  ['otlp_grpc', 'otlp'],
  ['console', 'console'],
  ['otlp_file/development', 'file'],
])

/** The keys of a batch processor, and the least that each may be. */
const BATCH = [
  ['SCHEDULE_DELAY', 'schedule_delay', 0],
  ['EXPORT_TIMEOUT', 'export_timeout', 0],
  ['MAX_QUEUE_SIZE', 'max_queue_size', 1],
  ['MAX_EXPORT_BATCH_SIZE', 'max_export_batch_size', 1],
] as const

/** The exporters of all processors together: each kind once. */
class Exporters {
  readonly names: string[] = []
  variables: Variables = {}

  constructor(private readonly signal: 'TRACES' | 'LOGS') {}

  /** @returns Whether it is one of them. */
  add(section: Section): boolean {
    const kind = section.only()
    const inner = section.section(kind)
    const name = KINDS.get(kind)
    if (name === undefined || this.names.includes(name)) {
      const why = name === undefined ? 'this exporter' : 'a second exporter of a kind'
      inner.refuseAll(`${why} is not offered; it is left out`)
      return false
    }
    const variables =
      kind === 'otlp_http' || kind === 'otlp_grpc'
        ? otlp(inner, this.signal, kind)
        : name === 'file'
          ? fileVariables(inner)
          : {}
    inner.end()
    if (variables === undefined) return false
    this.names.push(name)
    Object.assign(this.variables, variables)
    return true
  }
}

function fileVariables(section: Section): Variables | undefined {
  const stream = section.text('output_stream') ?? 'stdout'
  if (!stream.startsWith('file:')) {
    section.refuseAll('a stream that is no file is not offered; the exporter is left out')
    return undefined
  }
  try {
    return { THREADSPAN_FILE: fileURLToPath(stream) }
  } catch {
    // `file://name.jsonl` names a host.
    throw new ConfigFileError(`${section.path}.output_stream`, 'it is no file:///path')
  }
}

/** @returns The names of the exporters of a provider, and the variables that they and the processors come to. */
export function processorVariables(
  section: Section,
  signal: 'TRACES' | 'LOGS',
): { readonly names: readonly string[]; readonly variables: Variables } {
  if (!section.has('processors')) throw new ConfigFileError(section.path, 'it has no processors')
  const prefix = signal === 'TRACES' ? 'OTEL_BSP_' : 'OTEL_BLRP_'
  const exporters = new Exporters(signal)
  let batches: Variables | undefined
  for (const processor of section.list('processors')) {
    const kind = processor.only()
    const inner = processor.section(kind)
    if (kind !== 'batch' && kind !== 'simple') {
      inner.refuseAll('this processor is not offered; it is left out')
      continue
    }
    if (!inner.has('exporter')) throw new ConfigFileError(inner.path, 'it has no exporter')
    const isTaken = exporters.add(inner.section('exporter'))
    const own: Variables = kind === 'simple' ? { [`${prefix}SCHEDULE_DELAY`]: '0' } : {}
    for (const [name, key, least] of kind === 'batch' ? BATCH : []) {
      const value = inner.integer(key, least)
      const variable = prefix + name
      own[variable] = value
      if (isTaken && batches !== undefined && value !== batches[variable])
        inner.refuse(key, 'all processors have that of the first')
    }
    if (isTaken) batches ??= own
    inner.end()
  }
  return { names: exporters.names, variables: { ...exporters.variables, ...batches } }
}
