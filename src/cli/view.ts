import { spawn } from 'node:child_process'
import { isLoopback, startViewer, type Viewer, type ViewerOptions } from '../viewer/server.js'
import { interrupted } from './interrupt.js'
import { parseArguments, wholeNumber } from './usage.js'

const USAGE = `Usage: threadspan view [options] [FILE...]

Receives OpenTelemetry data (OTLP over HTTP, protobuf and JSON) and shows it in the browser. FILEs are OTLP JSON, as the file
exporters of threadspan and of the OpenTelemetry Collector write it, or set in another way, compressed or not; they are loaded first.

  --port N       listen on this port; without it 4318, or a free one when that is taken
  --host H       listen on this address; without it 127.0.0.1, which other machines cannot reach
  --allow-host NAME  answer to this name as well, may be given several times
  --db FILE      keep the data in this SQLite file (Node 22.13 or later)
  --max-spans N  keep at most this many spans, the newest traces (1000000)
  --open         open the page in the browser
  --help         show this
`

/**
 * `threadspan view [FILE...] [--port N] [--host H] [--allow-host NAME] [--db FILE] [--open] [--max-spans N]`: runs the viewer until SIGINT or
 * SIGTERM. Resolves to the exit code.
 * @throws ThreadspanError `THREADSPAN_CLI_USAGE`, and what `startViewer` and `Viewer.load` throw.
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
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) {
    process.stdout.write(USAGE)
    return 0
  }
  const options: ViewerOptions = { onWarning: (code, message) => tell(`${message} (${code})`) }
  if (values.port !== undefined) options.port = wholeNumber('--port', values.port, 0, 65535)
  if (values.host !== undefined) options.host = values.host
  if (values['allow-host'] !== undefined) options.allowHosts = values['allow-host']
  if (values.db !== undefined) options.db = values.db
  if (values['max-spans'] !== undefined)
    options.maxSpans = wholeNumber('--max-spans', values['max-spans'], 1, 50_000_000)
  // Listening before the first wait: an interrupt while files are loading ends the command as well.
  const interrupt = interrupted()
  const viewer = await startViewer(options)
  try {
    if (options.host !== undefined && !isLoopback(options.host)) {
      tell(`other machines can read and send data here, since it listens on ${options.host}`)
    }
    if (viewer.restored > 0) tell(`${viewer.restored} spans from ${values.db}`)
    const reading = new AbortController()
    const ended = await Promise.race([interrupt, loadAll(viewer, positionals, reading.signal)])
    if (ended === 'interrupted') reading.abort()
    else {
      announce(viewer, options.port)
      if (values.open === true) openBrowser(viewer.url)
      await interrupt
    }
  } finally {
    await viewer.close()
  }
  return 0
}

async function loadAll(viewer: Viewer, files: string[], signal: AbortSignal): Promise<void> {
  for (const file of files) {
    const { items, rejected, unread, format } = await viewer.load(file, signal)
    const notes = [`${items} spans, data points and log records from ${file}`]
    if (rejected > 0) notes.push(`${rejected} refused`)
    if (unread > 0)
      notes.push(`${unread} pieces are not OTLP JSON${format === undefined ? '' : ` but ${format}`}`)
    tell(notes.join(', '))
  }
}

function announce(viewer: Viewer, asked: number | undefined): void {
  process.stdout.write(`threadspan: viewer at ${viewer.url}\n`)
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
