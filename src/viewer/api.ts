/**
 * What the viewer's server answers to its page: types only. Every path lies under `/api`, every answer is JSON.
 * Times are milliseconds since the Unix epoch (fractional, so that microseconds survive); durations are milliseconds.
 */

/** Filters that every list takes as query parameters; all optional. */
export interface Filter {
  service?: string
  /** Transaction name, exact. */
  transaction?: string
  host?: string
  /** HTTP status code as text, or `ok` / `error`. */
  status?: string
  /** Milliseconds since the epoch, inclusive. */
  from?: number
  to?: number
  /** Terms that one span must meet, as `query.ts` reads them. */
  search?: string
  /** Transaction duration bounds, milliseconds. */
  min?: number
  max?: number
  limit?: number
}

export interface Latency {
  count: number
  errors: number
  /** Per minute, over the span of time the filter covers. */
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
}

/** `GET /api/transactions` (Filter) */
export interface TransactionRow extends Latency {
  service: string
  name: string
  /** Share of all transaction time in the selection, 0 to 1. */
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
  p50: (number | null)[]
  p95: (number | null)[]
  p99: (number | null)[]
}

/** `GET /api/distribution` (Filter): latency histogram with logarithmic buckets, and breakdowns. */
export interface Distribution {
  buckets: { from: number; to: number; count: number; errors: number }[]
  statuses: { status: string; count: number }[]
  hosts: { host: string; count: number }[]
}

/** `GET /api/traces` (Filter), newest first; also the payload of `trace` events of `GET /api/live` (SSE). */
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
  events: { time: number; name: string; attributes: Record<string, unknown> }[]
  links: { traceId: string; spanId: string; attributes: Record<string, unknown> }[]
  resource: Record<string, unknown>
  scope: { name: string; version: string }
  dropped: { attributes: number; events: number; links: number }
  /** Log records that name this span. */
  logs: { time: number; severity: string; body: string; attributes: Record<string, unknown> }[]
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
    stack: { text: string; file: string; line: number; library: boolean }[]
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
