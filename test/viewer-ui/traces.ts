import type { SpanDetail, TraceColumns, TraceSummary } from '../../src/viewer/api.js'

/** A generator of numbers from 0 to 1 that gives the same ones in every run (mulberry32). */
export function numbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const ORIGIN = 1_790_000_000_000
export const SCRIPT = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'

/** Collects spans row by row and gives them out in columns, sorted by start. */
export class TraceBuilder {
  readonly processes: TraceColumns['processes'] = []
  readonly threads: TraceColumns['threads'] = []
  readonly links: [number, number][] = []
  readonly #rows: Required<Omit<Row, 'label'>>[] = []
  readonly #labels: string[] = []

  process(label: string, service: string, pid: number): number {
    return (
      this.processes.push({
        label,
        service,
        pid,
        resource: { 'service.name': service, 'process.pid': pid },
      }) - 1
    )
  }

  thread(label: string, process: number, id: number): number {
    return this.threads.push({ label, process, id }) - 1
  }

  span(row: Row): number {
    this.#labels.push(row.label ?? '')
    return this.#rows.push({ parent: -1, flags: 0, wait: 0, kind: 1, ...row }) - 1
  }

  end(span: number, end: number): void {
    this.#rows[span]!.end = end
  }

  reparent(span: number, parent: number): void {
    this.#rows[span]!.parent = parent
  }

  columns(traceId: string): TraceColumns {
    const order = this.#rows.map((_, i) => i)
    order.sort(
      (a, b) =>
        this.#rows[a]!.start - this.#rows[b]!.start || this.#rows[b]!.end - this.#rows[a]!.end || a - b,
    )
    const place = new Int32Array(order.length)
    for (let i = 0; i < order.length; i++) place[order[i]!] = i
    const rows = order.map((i) => this.#rows[i]!)
    const labels = order.map((i) => this.#labels[i]!)
    const index = new Map<string, number>()
    const intern = (text: string): number => {
      if (!index.has(text)) index.set(text, index.size)
      return index.get(text)!
    }
    const name = rows.map((row) => intern(row.name))
    const label = labels.map((text) => (text === '' ? -1 : intern(text)))
    return {
      traceId,
      origin: ORIGIN,
      strings: [...index.keys()],
      processes: this.processes,
      threads: this.threads,
      id: rows.map((_, i) => (i + 1).toString(16).padStart(16, '0')),
      parent: rows.map(({ parent }) => (parent < 0 ? parent : place[parent]!)),
      name,
      kind: rows.map(({ kind }) => kind),
      start: rows.map(({ start }) => start),
      end: rows.map(({ end }) => end),
      thread: rows.map(({ thread }) => thread),
      flags: rows.map(({ flags }) => flags),
      label,
      wait: rows.map(({ wait }) => wait),
      links: this.links.map(([a, b]) => [place[a]!, place[b]!]),
      truncated: 0,
    }
  }
}

interface Row {
  name: string
  start: number
  end: number
  thread: number
  parent?: number
  flags?: number
  wait?: number
  kind?: number
  label?: string
}

/** A request that resizes pictures in four workers and calls a child process: what the project is about. */
export function orderTrace(traceId: string, seed: number, tasks = 14): TraceColumns {
  const random = numbers(seed)
  const build = new TraceBuilder()
  const shop = build.process('shop (main)', 'shop', 4120)
  const child = build.process('thumbnailer', 'thumbnailer', 4188)
  const main = build.thread('main', shop, 0)
  const workers = [1, 2, 3, 4].map((id) => build.thread(`piscina worker ${id}`, shop, id))
  const childMain = build.thread('main', child, 0)
  const free = workers.map(() => 0)

  const root = build.span({
    name: 'POST /orders/:id/pictures',
    start: 0,
    end: 0,
    thread: main,
    flags: 32,
    kind: 2,
    label: '/orders/42/pictures',
  })
  build.span({ name: 'authenticate', start: 0.4, end: 3.1, thread: main, parent: root })
  build.span({
    name: 'SELECT orders',
    start: 3.4,
    end: 14.8,
    thread: main,
    parent: root,
    kind: 3,
    label: 'SELECT * FROM orders WHERE id = $1',
  })
  const submit = 16
  let last = submit
  for (let i = 0; i < tasks; i++) {
    const worker = free.indexOf(Math.min(...free))
    const at = submit + i * 0.15
    const start = Math.max(at + 0.1, free[worker]!)
    const end = start + 18 + random() * 22
    free[worker] = end + 0.2
    last = Math.max(last, end)
    const failed = i === 9
    const task = build.span({
      name: 'resize',
      start,
      end,
      thread: workers[worker]!,
      parent: root,
      wait: start - at,
      flags: failed ? 1 | 16 : 0,
      label: `picture-${i + 1}.jpg`,
    })
    const third = (end - start) / 3
    build.span({
      name: 'decode',
      start: start + 0.3,
      end: start + third,
      thread: workers[worker]!,
      parent: task,
    })
    build.span({
      name: 'scale',
      start: start + third,
      end: start + 2 * third,
      thread: workers[worker]!,
      parent: task,
    })
    build.span({
      name: 'encode',
      start: start + 2 * third,
      end: end - 0.2,
      thread: workers[worker]!,
      parent: task,
      flags: failed ? 1 : 0,
    })
  }
  const fork = build.span({ name: 'fork thumbnailer', start: 20, end: 96, thread: main, parent: root })
  const inChild = build.span({
    name: 'make thumbnails',
    start: 47,
    end: 94,
    thread: childMain,
    parent: fork,
    kind: 1,
  })
  build.span({ name: 'read', start: 48, end: 60, thread: childMain, parent: inChild })
  build.span({ name: 'write', start: 62, end: 93, thread: childMain, parent: inChild })
  build.span({
    name: 'INSERT pictures',
    start: last + 1,
    end: last + 9,
    thread: main,
    parent: root,
    kind: 3,
    label: 'INSERT INTO pictures (order_id, name) VALUES ($1, $2)',
  })
  build.span({ name: 'send receipt', start: last + 6, end: last + 31, thread: main, parent: root, flags: 0 })
  build.end(root, last + 10)
  return build.columns(traceId)
}

/** Everything that can be wrong with a trace: orphans, a cycle, a death, no length, script in names. */
export function oddTrace(traceId: string): TraceColumns {
  const build = new TraceBuilder()
  const process = build.process('app (main)', 'app', 77)
  const main = build.thread('main', process, 0)
  const worker = build.thread(`worker ${SCRIPT}`, process, 1)
  const root = build.span({ name: 'nightly job', start: 0, end: 40, thread: main, flags: 32 })
  build.span({ name: SCRIPT, start: 1, end: 12, thread: worker, parent: root, label: SCRIPT })
  build.span({
    name: 'died in the middle',
    start: 5,
    end: 21,
    thread: worker,
    parent: root,
    flags: 1 | 4,
    wait: 2,
  })
  build.span({ name: 'came without its parent', start: 14, end: 18, thread: main, parent: -2, flags: 2 })
  const a = build.span({ name: 'one of a cycle', start: 22, end: 26, thread: main, flags: 8 })
  const b = build.span({ name: 'other of the cycle', start: 23, end: 25, thread: main, parent: a, flags: 8 })
  build.reparent(a, b)
  build.span({ name: 'no length', start: 30, end: 30, thread: main, parent: root })
  build.span({ name: 'outlives its parent', start: 35, end: 62, thread: main, parent: root })
  return build.columns(traceId)
}

/** Many spans over many threads: a tree of three levels, most spans thinner than a pixel. */
export function bigTrace(traceId: string, spans: number, threads: number): TraceColumns {
  const random = numbers(7)
  const build = new TraceBuilder()
  const process = build.process('batch (main)', 'batch', 900)
  const main = build.thread('main', process, 0)
  const workers = Array.from({ length: threads - 1 }, (_, i) =>
    build.thread(`worker ${i + 1}`, process, i + 1),
  )
  const root = build.span({ name: 'reindex', start: 0, end: 0, thread: main, flags: 32 })
  const free = workers.map(() => 1)
  let made = 1
  while (made < spans) {
    const worker = Math.floor(random() * workers.length)
    const start = free[worker]! + random() * 0.05
    const length = 0.2 + random() * random() * 6
    const task = build.span({
      name: `document ${made % 97}`,
      start,
      end: start + length,
      thread: workers[worker]!,
      parent: root,
      wait: random() < 0.2 ? random() : 0,
      flags: random() < 0.001 ? 1 : 0,
    })
    made++
    for (let i = 0; i < 6 && made < spans; i++, made++) {
      build.span({
        name: ['tokenize', 'stem', 'store'][i % 3]!,
        start: start + (length * i) / 6,
        end: start + (length * (i + 0.9)) / 6,
        thread: workers[worker]!,
        parent: task,
      })
    }
    free[worker] = start + length
  }
  build.end(root, Math.max(...free) + 1)
  return build.columns(traceId)
}

/** The summary that lists show of a trace. */
export function summaryOf(columns: TraceColumns): TraceSummary {
  const root = columns.parent.indexOf(-1)
  const errors = columns.flags.filter((flags) => (flags & 1) !== 0).length
  const ends = columns.end.reduce((most, end) => Math.max(most, end), 0)
  return {
    traceId: columns.traceId,
    service: columns.processes[0]!.service,
    name: columns.strings[columns.name[root]!]!,
    start: columns.origin,
    duration: ends,
    spans: columns.id.length,
    errors,
    threads: columns.threads.length,
    processes: columns.processes.length,
    status: errors > 0 ? 'error' : '200',
    failed: errors > 0,
    path: '',
    orphans: columns.flags.filter((flags) => (flags & 2) !== 0).length,
  }
}

/** The detail of one span. */
export function detailOf(columns: TraceColumns, spanId: string): SpanDetail | null {
  const i = columns.id.indexOf(spanId)
  if (i < 0) return null
  const failed = (columns.flags[i]! & 1) !== 0
  const name = columns.strings[columns.name[i]!]!
  const label = columns.strings[columns.label[i]!] ?? ''
  const start = columns.origin + columns.start[i]!
  return {
    traceId: columns.traceId,
    spanId,
    parentSpanId: columns.id[columns.parent[i]!] ?? '',
    name,
    kind: ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'][columns.kind[i]!]!,
    start,
    duration: columns.end[i]! - columns.start[i]!,
    process: '7@web-1',
    status: { code: failed ? 'error' : 'unset', message: failed ? 'The picture is not a JPEG file' : '' },
    traceState: '',
    attributes: {
      'thread.id': columns.threads[columns.thread[i]!]!.id,
      'thread.name': columns.threads[columns.thread[i]!]!.label,
      ...(label !== '' && { 'app.picture': label }),
      ...(/^(SELECT|INSERT)/.test(label) && {
        'db.system.name': 'postgresql',
        'db.query.text': `${label}${label.startsWith('SELECT') ? " AND state = 'open' ORDER BY created_at LIMIT 1" : ''}`,
      }),
      'app.note': SCRIPT,
      'app.sizes': [320, 640, 1280],
    },
    events: failed
      ? [
          {
            time: start + 4,
            name: 'exception',
            attributes: {
              'exception.type': 'TypeError',
              'exception.message': 'The picture is not a JPEG file',
              'exception.stacktrace':
                'TypeError: The picture is not a JPEG file\n    at decode (file:///app/src/pictures.js:31:11)',
            },
          },
        ]
      : [],
    links: i === 0 ? [{ traceId: columns.traceId, spanId: columns.id.at(-1)!, attributes: {} }] : [],
    resource: columns.processes[columns.threads[columns.thread[i]!]!.process]!.resource,
    scope: { name: 'threadspan', version: '0.1.0' },
    dropped: { attributes: 0, events: 0, links: 0 },
    linkedFrom: [],
    errorGroup: failed ? 'f00d00000000cafe' : null,
    logs: [],
  }
}
