import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { preloadPath } from '../preload.js'
import { readSpans } from '../spans-file.js'
import { type Finding, ok, problem } from './finding.js'
import { nowhere } from './nowhere.js'

/** Milliseconds for a program that takes a tenth of a second. */
const PATIENCE = 60_000

/** Traces a small program for real: a span in a worker thread that is terminated, under one in the main thread. */
export async function checkTracing(): Promise<Finding> {
  const folder = await mkdtemp(join(tmpdir(), 'threadspan-doctor-'))
  const file = join(folder, 'spans.jsonl')
  try {
    const { code, errors } = await runProbe(file)
    if (code !== 0)
      return problem(`A program with the preload ended with ${code}: ${errors.trim().slice(-500)}`)
    const spans = (await readSpans(file)).map(({ span }) => span)
    const parent = spans.find(({ name }) => name === 'doctor main')
    const child = spans.find(({ name }) => name === 'doctor worker')
    if (parent === undefined) return problem('A span of the main thread did not arrive')
    if (child === undefined) return problem('A span of a worker thread that was terminated did not arrive')
    if (child.traceId !== parent.traceId) return problem('A span of a worker thread is in another trace')
    return ok('A span of a terminated worker thread arrives in the trace that started it')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function runProbe(file: string): Promise<{ code: number | string | null; errors: string }> {
  const script = fileURLToPath(new URL('./probe-main.js', import.meta.url))
  const child = spawn(process.execPath, ['--require', preloadPath(), script], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: PATIENCE,
    env: {
      ...process.env,
      ...nowhere(file),
      OTEL_TRACES_SAMPLER: 'always_on',
      OTEL_SDK_DISABLED: 'false',
      OTEL_CONFIG_FILE: '',
      OTEL_EXPERIMENTAL_CONFIG_FILE: '',
    },
  })
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code: signal ?? code, errors }))
  })
}
