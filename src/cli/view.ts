import { spawn } from 'node:child_process'
import { ThreadspanError } from '../core/errors.js'
import { type DataOptions, ViewerData } from '../viewer/data.js'
import { EXPORT_FORMATS, isExportFormat } from '../viewer/exports/format.js'
import { isLoopback, startViewer, type Viewer, type ViewerOptions } from '../viewer/server.js'
import { openSource, sourceAddress } from '../viewer/sources/open.js'
import type { Source } from '../viewer/sources/source.js'
import { interrupted } from './interrupt.js'
import { byteSize, duration, parseArguments, usageError, wholeNumber } from './usage.js'
import { pagesOf, readCredentials, readWish, type SourceWish } from './view-source.js'

const USAGE = `Usage: threadspan view [options] [FILE...]

Receives OpenTelemetry data (OTLP over HTTP, protobuf and JSON) and shows it in the browser. FILEs are OTLP JSON, as the file
exporters of threadspan and of the OpenTelemetry Collector write it, or set in another way, or the JSON of Jaeger, Zipkin or
Tempo, compressed or not; they are loaded first.

  --port N       listen on this port; without it 4318, or a free one when that is taken
  --host H       listen on this address; without it 127.0.0.1, which other machines cannot reach
  --allow-host NAME  answer to this name as well, may be given several times
  --db FILE      keep the data in this SQLite file (Node 22.13 or later)
  --max-spans N  keep at most this many spans, the newest traces (1000000)
  --max-memory SIZE  keep them in this much memory (1.07GB, or 600 bytes for each of --max-spans, if that is more)
  --keep TIME    let traces go that are older, as 7d or 12h
  --max-size SIZE  let the oldest traces go where the database is larger, as 10GB
  --open         open the page in the browser
  --export FORMAT  write what was loaded to stdout as ${EXPORT_FORMATS.join(', ')}, and end
  --output FILE  write it to this file instead
  --help         show this

  --from URL     read traces of a Jaeger, Tempo, Elasticsearch or ClickHouse; credentials by THREADSPAN_FROM_HEADERS, or
                 THREADSPAN_FROM_USER and THREADSPAN_FROM_PASSWORD
  --trace ID     this trace of it, may be given several times; without it the latest traces that meet
  --service NAME, --attribute KEY=VALUE (several times), --min-duration 50ms, --since 2h (1h), --limit N (20)
`

/**
 * `threadspan view [FILE...] [options]`: runs the viewer until SIGINT or SIGTERM, or with `--export` writes what it loaded. Resolves to the
 * exit code.
 * @throws ThreadspanError `THREADSPAN_CLI_USAGE`, and what `startViewer`, `openSource` and the methods of `Viewer` throw.
 */
export async function view(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments({
    args: argv,
    allowPositionals: true,
    options: {
      port: { type: 'string' },
      host: { type: 'string' },
      'allow-host': { type: 'string', multiple: true },
      db: { type: 'string' },
      open: { type: 'boolean' },
      'max-spans': { type: 'string' },
      'max-memory': { type: 'string' },
      keep: { type: 'string' },
      'max-size': { type: 'string' },
      export: { type: 'string' },
      output: { type: 'string' },
      from: { type: 'string' },
      trace: { type: 'string', multiple: true },
      service: { type: 'string' },
      attribute: { type: 'string', multiple: true },
      'min-duration': { type: 'string' },
      since: { type: 'string' },
      limit: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) {
    process.stdout.write(USAGE)
    return 0
  }
  const options: ViewerOptions = {
    onWarning: (code, message) => tell(`${message} (${code})`),
    onLoading: (spans) => tell(`${spans} spans of ${values.db} so far`),
    ...boundsOf(values),
  }
  if (values.port !== undefined) options.port = wholeNumber('--port', values.port, 0, 65535)
  if (values.host !== undefined) options.host = values.host
  if (values['allow-host'] !== undefined) options.allowHosts = values['allow-host']
  if (values.db !== undefined) options.db = values.db
  const wish = readWish(values)
  const wished = ['trace', 'service', 'attribute', 'min-duration', 'since', 'limit'].find(
    (name) => name in values,
  )
  if (values.from === undefined && wished !== undefined) {
    throw usageError(`--${wished} says what is read of a source: give that by --from`)
  }
  const reading = new AbortController()
  const source = await sourceOf(values.from, reading.signal)
  const inputs: Inputs = { files: positionals, wish, source, reading }
  if (values.export !== undefined) return exportAll(options, inputs, values.export, values.output)
  if (values.output !== undefined) throw usageError('--output says where --export writes to')
  if (inputs.source !== undefined) options.source = inputs.source
  return run(options, inputs, values.open === true)
}

/** Bytes of memory for a span, where spans are bounded by their number. */
const SPAN_BYTES = 600

function boundsOf(values: Partial<Record<string, unknown>>): DataOptions {
  const options: DataOptions = {}
  const text = (name: string) => values[name] as string | undefined
  const [spans, memory, keep, size] = ['max-spans', 'max-memory', 'keep', 'max-size'].map(text)
  if (spans !== undefined) {
    options.maxSpans = wholeNumber('--max-spans', spans, 1, 50_000_000)
    options.maxBytes = Math.max(2 ** 30, options.maxSpans * SPAN_BYTES)
  }
  if (memory !== undefined) options.maxBytes = byteSize('--max-memory', memory)
  if (keep !== undefined) options.keep = duration('--keep', keep)
  if (size !== undefined) {
    if (text('db') === undefined) throw usageError('--max-size bounds the database: give it by --db')
    options.maxSize = byteSize('--max-size', size)
  }
  return options
}

/** What is loaded first. */
interface Inputs {
  files: readonly string[]
  source: Source | undefined
  wish: SourceWish
  /** Ends the reading. */
  reading: AbortController
}

async function sourceOf(address: string | undefined, signal: AbortSignal): Promise<Source | undefined> {
  if (address === undefined) return undefined
  const url = sourceAddress(address).base
  const headers = readCredentials(process.env)
  if (Object.keys(headers).length > 0 && url.protocol === 'http:' && !isLoopback(url.hostname)) {
    tell(`credentials go to ${url.host} unencrypted`)
  }
  return openSource(address, { headers, signal })
}

async function run(options: ViewerOptions, inputs: Inputs, isOpened: boolean): Promise<number> {
  // Listening before the first wait: an interrupt while files are loading ends the command as well.
  const interrupt = interrupted()
  const { reading } = inputs
  void interrupt.then(() => reading.abort())
  const viewer = await startViewer({ ...options, signal: reading.signal }).catch((error: unknown) => {
    if (reading.signal.aborted) return undefined
    throw error
  })
  if (viewer === undefined) return 0
  try {
    if (options.host !== undefined && !isLoopback(options.host)) {
      tell(`other machines can read and send data here, since it listens on ${options.host}`)
    }
    if (viewer.restored > 0) tell(`${viewer.restored} spans from ${options.db}`)
    const ended = await Promise.race([interrupt, loadAll(viewer, inputs)])
    if (ended !== 'interrupted') {
      const [trace] = inputs.wish.traces
      const page = trace === undefined ? viewer.url : `${viewer.url}#/trace/${trace}`
      announce(viewer, page, options.port)
      if (isOpened) openBrowser(page)
      await interrupt
    }
  } finally {
    reading.abort()
    await viewer.close()
  }
  return 0
}

async function exportAll(
  options: DataOptions,
  inputs: Inputs,
  format: string,
  output: string | undefined,
): Promise<number> {
  if (!isExportFormat(format)) {
    throw usageError(`--export must be one of ${EXPORT_FORMATS.join(', ')}, not "${format}"`)
  }
  if (format === 'pprof' && output === undefined && process.stdout.isTTY) {
    throw usageError('a profile is no text for a terminal: give --output FILE')
  }
  const data = await ViewerData.open(options)
  try {
    await loadAll(data, inputs)
    if (output === undefined) await data.write(process.stdout, 'stdout', format)
    else await data.save(output, format)
  } finally {
    data.close()
  }
  return 0
}

async function loadAll(
  into: Pick<Viewer, 'load' | 'read'>,
  { files, source, wish, reading }: Inputs,
): Promise<void> {
  for (const file of files) {
    const { items, rejected, unread, format } = await into.load(file, reading.signal)
    const notes = [`${items} spans, data points and log records from ${file}`]
    if (rejected > 0) notes.push(`${rejected} refused`)
    if (unread > 0) notes.push(`${unread} pieces cannot be read${format === undefined ? '' : `: ${format}`}`)
    tell(notes.join(', '))
  }
  if (source === undefined) return
  for (const { what, pages } of pagesOf(source, wish)) {
    const { spans, rejected } = await into.read(pages, source.name)
    if (spans === 0 && wish.search === undefined) {
      throw new ThreadspanError('THREADSPAN_SOURCE_ANSWER', `${source.name}: it has no ${what}`)
    }
    tell(`${spans} spans from ${source.name}${rejected > 0 ? `, ${rejected} refused` : ''}`)
  }
}

function announce(viewer: Viewer, page: string, asked: number | undefined): void {
  process.stdout.write(`threadspan: viewer at ${page}\n`)
  if (asked === undefined && !viewer.endpoint.endsWith(':4318')) {
    tell('port 4318 is taken, perhaps by another viewer or a collector')
    tell(`set OTEL_EXPORTER_OTLP_ENDPOINT=${viewer.endpoint} for the programs whose data is to come here`)
  }
}

function tell(text: string): void {
  process.stderr.write(`threadspan: ${text}\n`)
}

function openBrowser(url: string): void {
  const [command, ...parameters] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '', url]
        : ['xdg-open', url]
  const child = spawn(command!, parameters, { detached: true, stdio: 'ignore' })
  let told = false
  const failed = (): void => {
    if (!told) tell(`no browser could be started; open ${url}`)
    told = true
  }
  child.on('error', failed)
  child.on('exit', (code) => {
    if (code !== 0) failed()
  })
  child.unref()
}
