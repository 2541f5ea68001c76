/**
 * What the viewer's server answers to its page: types only. Every path lies under `/api`, every answer is JSON.
 * Times are milliseconds since the Unix epoch (fractional, so that microseconds survive); durations are milliseconds.
 */

/** Filters that every list takes as query parameters; all optional. */
export interface Filter {
  service?: string
  /** `deployment.environment.name` of the resource, or `deployment.environment`. */
  environment?: string
  /** Transaction name, exact. */
  transaction?: string
  /** Without it, all but calls where transactions are counted. */
  type?: TransactionType
  host?: string
  /** A process, by `ProcessRow.process`. */
  process?: string
  /** Metrics alone: the `thread.id` of what they are measured of. */
  thread?: string
  /** HTTP status code as text, a class of them as `5xx`, or `ok` / `error`. */
  status?: string
  /** Milliseconds since the epoch, inclusive. */
  from?: number
  to?: number
  /** The last so many milliseconds, instead of `from` and `to`. */
  last?: number
  /**
   * Terms that one span must meet, as `query.ts` reads them. Where too many spans have to be read for one answer, it is of the newest traces,
   * and the header `x-searched` says of what share of all (0 to 1); who asks again gets on from there.
   */
  search?: string
  /** Transaction duration bounds, milliseconds. */
  min?: number
  max?: number
  /** What a list is sorted by, one of its fields; an unknown one is answered 400. */
  sort?: string
  order?: 'asc' | 'desc'
  /** Rows of a list from `offset` on; the header `x-total-count` says how many there are. */
  limit?: number
  offset?: number
}

/**
 * What a transaction is: something asked of the service, a message taken from a queue, other work, or a call that begins a trace, whose
 * answer another service counts as its request.
 */
export type TransactionType = 'request' | 'message' | 'task' | 'call'

export interface Latency {
  count: number
  errors: number
  /** Per minute, over the time that the filter names, else over that which the data covers; a single one in less counts as one. */
  throughput: number
  p50: number
  p95: number
  p99: number
  mean: number
}

/** `GET /api/status` */
export interface Status {
  version: string
  traces: number
  spans: number
  bytes: number
  maxSpans: number
  maxBytes: number
  /** Received since the start, by signal. */
  received: { spans: number; metrics: number; logs: number; requests: number }
  /** Not kept, per cause: `evicted`, `duplicate`, `malformed`, `too-large`, ... */
  dropped: Record<string, number>
  orphans: number
  /** Where OTLP is received, e.g. `http://127.0.0.1:4318`. */
  endpoint: string
  /** The database file, when there is one. */
  db: string | null
  /** First and last time of any span, or null when empty. */
  from: number | null
  to: number | null
}

/** `GET /api/services` */
export interface ServiceRow extends Latency {
  service: string
  /** Distinct `process.pid` / `host.name` seen. */
  processes: number
  language: string
  /** Calls that begin a trace; they are not among `count`. */
  calls: number
  /** Transactions in each of 30 equal parts of the time that is shown. */
  trend: number[]
}

/** `GET /api/processes` (Filter): of those with spans or metrics. `GET /api/processes/:process` answers one. */
export interface ProcessRow extends Latency {
  /** Names it in addresses: `service.instance.id`, else its pid and host. */
  process: string
  service: string
  host: string
  pid: string
  /** What runs it, and in which version: `nodejs 24.1.0`. */
  runtime: string
  /** `service.version`. */
  version: string
  /** Threads that have spans or metrics. */
  threads: { id: string; name: string }[]
  /** How many streams of metrics it sends. */
  metrics: number
}

/** `GET /api/map` (Filter): who calls whom. */
export interface ServiceMap {
  nodes: { id: string; name: string; kind: 'service' | 'database' | 'queue'; calls: number }[]
  edges: MapEdge[]
  /** Nodes that are left out. */
  left: number
}

/** The calls from one node of the map to another; durations are those of the answer where there is one. */
export interface MapEdge {
  from: string
  to: string
  count: number
  errors: number
  /** Per minute. */
  throughput: number
  mean: number
  p95: number
}

/** `GET /api/totals` (Filter): the selection in figures, and the same length of time before it where the filter names a time. */
export interface Totals {
  now: Latency
  before: Latency | null
}

/** `GET /api/transactions` (Filter) */
export interface TransactionRow extends Latency {
  service: string
  name: string
  type: TransactionType
  /** Share of the time of all transactions in the selection, less that of the transactions that they called, 0 to 1. */
  impact: number
  /** Worker threads that took part, distinct. */
  threads: number
}

/** `GET /api/series` (Filter): the selection over time. */
export interface Series {
  /** Bucket width, milliseconds. */
  step: number
  /** Start of each bucket. */
  times: number[]
  count: number[]
  errors: number[]
  /** Counts by class of HTTP status, `2xx` to `5xx`; `ok` and `error` for what has no HTTP status. Those that occur, what went well first. */
  classes: { name: string; count: number[] }[]
  mean: (number | null)[]
  p50: (number | null)[]
  p95: (number | null)[]
  p99: (number | null)[]
}

/**
 * `GET /api/distribution` (Filter): latency histogram with logarithmic buckets, of all latencies, also those outside of `min` and `max`;
 * and breakdowns of those inside.
 */
export interface Distribution {
  buckets: { from: number; to: number; count: number; errors: number }[]
  statuses: { status: string; count: number }[]
  hosts: { host: string; count: number }[]
}

/** `GET /api/facets`: what there is to choose from in filters. */
export interface Facets {
  services: string[]
  environments: string[]
  hosts: string[]
  statuses: string[]
}

/** `GET /api/samples` (Filter), newest first unless sorted: the transactions themselves. */
export interface Sample {
  traceId: string
  spanId: string
  service: string
  name: string
  type: TransactionType
  /** Path of its URL, or what else tells it from others of its name; empty where nothing does. */
  path: string
  host: string
  start: number
  duration: number
  status: string
  failed: boolean
  /** Of the whole trace. */
  spans: number
  threads: number
}

/**
 * `GET /api/trace/:traceId/neighbours` (Filter): where a trace stands in the list of traces, or, with `sample` (the id of
 * its span), where a transaction stands among samples.
 */
export interface Neighbours {
  /** Place from 0 on, or -1 where the list does not have it. */
  place: number
  total: number
  previous: Neighbour | null
  next: Neighbour | null
  slowest: Neighbour | null
  /** The next failed one in the order of the list, from the start again after the last. */
  failed: Neighbour | null
}

export interface Neighbour {
  traceId: string
  /** Absent in a list of traces. */
  spanId?: string
}

/** `GET /api/traces` (Filter), newest first unless sorted; also the payload of `trace` events of `GET /api/live` (SSE). */
export interface TraceSummary {
  traceId: string
  service: string
  name: string
  start: number
  duration: number
  spans: number
  errors: number
  /** Distinct threads and processes that took part. */
  threads: number
  processes: number
  status: string
  /** Whether the transaction that stands for the trace failed, as `status` says; `errors` counts spans. */
  failed: boolean
  /** Path of the URL of the span that stands for the trace, or what else tells it from others of its name. */
  path: string
  /** Spans whose parent has not arrived. */
  orphans: number
}

/**
 * `GET /api/trace/:traceId`: one trace in columns (index i of every array is span i), so that 100,000 spans are a few
 * megabytes of JSON and no object per span. Sorted by start time.
 */
export interface TraceColumns {
  traceId: string
  /** Start of the trace, milliseconds since the epoch; `start` and `end` below are relative to it. */
  origin: number
  /** Interned strings; `name`, `service` and `label` columns hold indexes into it. */
  strings: string[]
  /** Processes by index: resource attributes and a label. */
  processes: { label: string; service: string; pid: number | null; resource: Record<string, unknown> }[]
  /** Threads by index: the lane's label, the process it belongs to, `thread.id`. */
  threads: { label: string; process: number; id: number | null }[]
  id: string[]
  /** Index of the parent span, -1 for a root, -2 for a parent that did not arrive. */
  parent: number[]
  name: number[]
  kind: number[]
  /** Milliseconds relative to `origin`. */
  start: number[]
  end: number[]
  thread: number[]
  /** Bit 0: error; 1: orphan; 2: closed by a death (attribute `threadspan.closed`); 3: part of a parent cycle; 4: has exception event; 5: transaction (local root). */
  flags: number[]
  /** Short text for the bar: `http.route`, `db.query.text`, ... as index into `strings`, or -1. */
  label: number[]
  /** Milliseconds waited between submit and start (`threadspan.queue.wait` of the span that ran), or 0. */
  wait: number[]
  /** Causal arrows that are not parent-child: [from, to] span indexes, from links inside the trace. */
  links: [number, number][]
  /** Spans left out because the trace has more than the server sends. */
  truncated: number
}

/** `GET /api/trace/:traceId/search?search=` */
export interface TraceSearch {
  /** Places in the columns of the trace, ascending. */
  spans: number[]
}

/** `GET /api/trace/:traceId/span/:spanId` */
export interface SpanDetail {
  traceId: string
  spanId: string
  parentSpanId: string
  name: string
  kind: string
  start: number
  duration: number
  status: { code: 'unset' | 'ok' | 'error'; message: string }
  traceState: string
  attributes: Record<string, unknown>
  events: { time: number; name: string; attributes: Record<string, unknown>; stack?: StackFrame[] }[]
  links: { traceId: string; spanId: string; attributes: Record<string, unknown> }[]
  /** Spans whose links point here, fifty at most. */
  linkedFrom: { traceId: string; spanId: string; name: string; service: string }[]
  /** The group of errors that counts this span, or null. */
  errorGroup: string | null
  resource: Record<string, unknown>
  /** As `ProcessRow.process`; empty where the resource tells nothing of it. */
  process: string
  scope: { name: string; version: string }
  dropped: { attributes: number; events: number; links: number }
  /** Log records that name this span. */
  logs: { time: number; severity: string; body: string; attributes: Record<string, unknown> }[]
}

/** One line of a stack; `library` is code of the runtime or of an installed package. */
export interface StackFrame {
  text: string
  file: string
  /** 0 where the line does not say. */
  line: number
  library: boolean
}

/** A log record. */
export interface LogRow {
  time: number
  /** As the sender wrote it, else the name of its number: `info`, `error`, ... */
  severity: string
  /** 1 to 24, 0 where it was not told. */
  level: number
  body: string
  service: string
  host: string
  /** Empty where it names no trace or no span. */
  traceId: string
  spanId: string
  attributes: Record<string, unknown>
}

/** `GET /api/logs` (Filter), newest first: of all records or, with `trace`, those of a trace, oldest first. */
export interface LogList {
  total: number
  logs: LogRow[]
  series: { step: number; times: number[]; levels: { name: string; count: number[] }[] }
}

/** `GET /api/errors` (Filter) */
export interface ErrorGroup {
  fingerprint: string
  type: string
  message: string
  /** Innermost own frame, e.g. `src/orders.js:12`. */
  culprit: string
  count: number
  first: number
  last: number
  services: string[]
  transactions: string[]
}

/** `GET /api/errors/:fingerprint` */
export interface ErrorDetail extends ErrorGroup {
  /** Counts over time, as in `Series`. */
  series: { step: number; times: number[]; count: number[] }
  occurrences: {
    traceId: string
    spanId: string
    transaction: string
    service: string
    time: number
    message: string
    stack: StackFrame[]
    /** The span was closed by the death of its thread or process. */
    closed: string | null
  }[]
}

/** `GET /api/metrics` */
export interface MetricRow {
  name: string
  unit: string
  description: string
  kind: 'gauge' | 'sum' | 'histogram' | 'exponentialHistogram' | 'summary'
  services: string[]
  series: number
}

/** `GET /api/metrics/:name` (Filter) */
export interface MetricSeries {
  name: string
  unit: string
  kind: MetricRow['kind']
  /** Attributes that all lines have, where there are several: their labels leave them out. */
  shared: string
  times: number[]
  lines: { label: string; values: (number | null)[] }[]
}

/**
 * `GET /api/trace/:traceId/export?format=` answers a file: `otlp` (the default), `chrome`, `pprof` or `csv`; `GET /api/export` likewise,
 * with all traces. `POST /api/import` takes a file in any format that `readData` reads.
 */
export interface ImportResult {
  spans: number
  rejected: number
  /** What the file holds that is not read, where that can be told: `a Chrome trace`. */
  format?: string
}

/** Every error answer: HTTP status 4xx or 5xx and this body. */
export interface ApiError {
  code: string
  message: string
}
