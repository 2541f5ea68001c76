/** Runs the scenario of a database client with the preload, against a real server, and gives the spans that arrived. */
import assert from 'node:assert/strict'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { type ReceivedPoint, type ReceivedSpan, Receiver } from '../support/receiver.js'

export interface ClientRun {
  readonly scenario: string
  /** The package's name, or that of another version of it. */
  readonly name: string
  readonly form?: 'require' | 'import'
  readonly where?: 'main' | 'worker' | 'child'
  readonly port: number
  /** Connections in the pool. */
  readonly pool?: number
  readonly env?: Record<string, string>
  /** Called with the last metrics that arrived. */
  readonly measured?: (points: readonly ReceivedPoint[]) => void
}

/** How many requests a scenario has. */
export const REQUESTS = 8

/** What came of a run. */
export interface ClientOutcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly spans: readonly ReceivedSpan[]
  readonly points: readonly ReceivedPoint[]
  /** Whether any byte of what arrived tells of a value, a password or a user that the scenario has used. */
  readonly isTold: boolean
}

export async function observeClient(run: ClientRun): Promise<ClientOutcome> {
  const { scenario, name, form = 'require', where = 'main', port, pool = 1, env } = run
  const receiver = await Receiver.start()
  let isTold = false
  receiver.arrived = (bytes) => {
    isTold ||= bytes.includes('SECRET')
  }
  try {
    const { code, stdout, stderr } = await runProgram(fixture('clients/main.cjs'), {
      node: ['--require', PRELOAD],
      args: [scenario, name, form, where],
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        PORT: String(port),
        POOL: String(pool),
        ...env,
      },
    })
    return { code, stdout, stderr, spans: receiver.spans, points: receiver.metrics.at(-1) ?? [], isTold }
  } finally {
    await receiver.close()
  }
}

/** Everything that arrived. Nothing ran in the wrong request, and no value was told of. */
export async function runClient(run: ClientRun): Promise<ReceivedSpan[]> {
  const { code, stdout, stderr, spans, points, isTold } = await observeClient(run)
  assert.equal(code, 0, stdout + stderr)
  assert.equal(stdout, 'done\n')
  assert.ok(!isTold, 'A value was exported')
  run.measured?.(points)
  return [...spans]
}

/** The spans of each request, in the order of their starts: what it did. */
export function byRequest(spans: readonly ReceivedSpan[]): ReceivedSpan[][] {
  const requests = spans.filter(({ name }) => name.startsWith('request '))
  return requests.map(({ traceId, spanId }) =>
    spans
      .filter((span) => span.traceId === traceId && span.parentSpanId === spanId)
      .sort((a, b) => Number(a.start - b.start)),
  )
}

/** That every request did `names`, and nothing else. */
export function assertNames(spans: readonly ReceivedSpan[], names: readonly string[]): void {
  const requests = byRequest(spans)
  assert.equal(requests.length, REQUESTS)
  for (const made of requests) {
    assert.deepEqual(
      made.map(({ name }) => name),
      names,
    )
    for (const { kind, end, start } of made) {
      assert.equal(kind, 3)
      assert.ok(end > start)
    }
  }
}
