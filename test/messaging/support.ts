/** Runs the two programs of a queue's scenario, with the preload, against a real server, and gives the spans that arrived. */
import assert from 'node:assert/strict'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { type ReceivedSpan, Receiver } from '../support/receiver.js'
import { assertNoSecrets } from '../support/secrets.js'

export interface QueueRun {
  readonly scenario: string
  /** Their arguments: those of one program each, run at the same time. */
  readonly programs: readonly (readonly string[])[]
  readonly port: number
  readonly env?: Record<string, string>
}

/** All that arrived. Nothing of what the messages hold was told of. */
export async function runQueue({ scenario, programs, port, env }: QueueRun): Promise<ReceivedSpan[]> {
  const receiver = await Receiver.start()
  try {
    const ran = await Promise.all(
      programs.map((args) =>
        runProgram(fixture(`messaging/${scenario}.cjs`), {
          node: ['--require', PRELOAD],
          args,
          env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, PORT: String(port), ...env },
        }),
      ),
    )
    for (const { code, stdout, stderr } of ran) {
      assert.equal(code, 0, stdout + stderr)
      assert.equal(stdout, 'done\n')
      assert.equal(stderr, '')
    }
    assertNoSecrets(receiver.spans)
    return receiver.spans.sort((a, b) => Number(a.start - b.start))
  } finally {
    await receiver.close()
  }
}

export const KIND = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const

/** The only span of a name. */
export function only(spans: readonly ReceivedSpan[], name: string): ReceivedSpan {
  const found = spans.filter((span) => span.name === name)
  assert.equal(found.length, 1, `${found.length} spans are called ${name}`)
  return found[0]!
}

/** The spans below one, in the order of their starts. */
export function below(
  spans: readonly ReceivedSpan[],
  parent: ReceivedSpan,
  matches: (span: ReceivedSpan) => boolean = () => true,
): ReceivedSpan[] {
  return spans.filter(
    (span) => span.traceId === parent.traceId && span.parentSpanId === parent.spanId && matches(span),
  )
}

/** The attributes but for those of the thread. */
export function attributesOf(span: ReceivedSpan): Record<string, unknown> {
  const { 'thread.id': _id, 'thread.name': _name, ...attributes } = span.attributes
  return attributes
}
