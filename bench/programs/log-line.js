// A line of pino inside of a span, to a destination that takes no time.
import { createRequire } from 'node:module'
import { context, trace } from '@opentelemetry/api'
import { threadTime } from './processor-time.js'
import { serve } from './serve.js'

const [kind] = process.argv.slice(2)
const require = createRequire(import.meta.url)

let flush = async () => {}
if (kind === 'sdk') {
  const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks')
  const { BasicTracerProvider } = require('@opentelemetry/sdk-trace-base')
  const { registerInstrumentations } = require('@opentelemetry/instrumentation')
  const { PinoInstrumentation } = require('@opentelemetry/instrumentation-pino')
  const { BatchLogRecordProcessor, LoggerProvider } = require('@opentelemetry/sdk-logs')
  const { OTLPLogExporter } = require('@opentelemetry/exporter-logs-otlp-proto')
  const { logs } = require('@opentelemetry/api-logs')
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  trace.setGlobalTracerProvider(new BasicTracerProvider())
  // A queue that holds a whole block, where the default of 2,048 would drop most of it.
  const processor = new BatchLogRecordProcessor({ exporter: new OTLPLogExporter(), maxQueueSize: 1 << 20 })
  const provider = new LoggerProvider({ processors: [processor] })
  logs.setGlobalLoggerProvider(provider)
  registerInstrumentations({ instrumentations: [new PinoInstrumentation()] })
  flush = () => provider.forceFlush()
} else if (kind === 'threadspan') {
  const threadspan = await import(process.env.BENCH_INDEX)
  flush = () => threadspan.flush()
}
const pino = require('pino')
let bytes = 0
const logger = pino(
  {
    // Of the same length in each run.
    timestamp: () => ',"time":1700000000000',
  },
  {
    write(line) {
      bytes += line.length
    },
  },
)
const span = trace.getTracer('bench').startSpan('request')
const active = trace.setSpan(context.active(), span)

serve({
  /** Microseconds of the processor for each line: in this thread until the call returned, and in all threads once all is delivered. */
  async block(count) {
    const before = process.cpuUsage()
    const start = threadTime()
    context.with(active, () => {
      for (let i = 0; i < count; i++) logger.info({ user: i & 1023, route: '/orders/:id' }, 'order taken')
    })
    const call = (threadTime() - start) / count
    await flush()
    const { user, system } = process.cpuUsage(before)
    return { call, processor: (user + system) / count, bytes }
  },
})
