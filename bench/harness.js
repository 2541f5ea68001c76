// What all measures share: programs in processes of their own that are asked for one block after another, in alternation,
// so that a machine that slows down or speeds up does so for all of them; medians; ratios and differences pair by pair.
import { spawn, spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const require = createRequire(import.meta.url)

/** The built package: `dist`, or the folder that `THREADSPAN_DIST` names. */
export const dist = process.env.THREADSPAN_DIST
  ? resolve(process.env.THREADSPAN_DIST)
  : resolve(here, '../dist')

export const program = (name) => resolve(here, 'programs', name)

/** Options of node that make a program a variant. */
export const BARE = []
export const PRELOADED = ['--require', resolve(dist, 'register.cjs')]
export const autoInstrumented = () => [
  '--require',
  require.resolve('@opentelemetry/auto-instrumentations-node/register'),
]

/** Where the machine has the means, threads that are compared run on one core: a wake-up across cores costs 5 to 70 us. */
export const canPin = spawnSync('taskset', ['-c', '0', 'true']).status === 0
const cores = availableParallelism()
/** The other core, for what is not measured. */
const ASIDE = canPin && cores > 1 ? 1 : undefined

function environment(endpoint, added) {
  const env = { ...process.env }
  for (const name of Object.keys(env))
    if (/^(OTEL_|THREADSPAN_|TRACE|BAGGAGE|NODE_OPTIONS)/.test(name)) delete env[name]
  return {
    ...env,
    BENCH_INDEX: pathToFileURL(resolve(dist, 'index.js')).href,
    OTEL_SERVICE_NAME: 'bench',
    // Spans only, of every variant: nothing else is measured.
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    // Without the detectors that ask cloud providers over the network.
    OTEL_NODE_RESOURCE_DETECTORS: 'env,host,os,process',
    ...(endpoint === undefined
      ? {}
      : { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }),
    ...added,
  }
}

function commandOf(file, { node = BARE, args = [], core }) {
  const list = [process.execPath, ...node, file, ...args]
  return core === undefined || !canPin ? list : ['taskset', '-c', String(core), ...list]
}

/** A program that answers questions; see `programs/serve.js`. */
export class Program {
  #child
  #waiting = new Map()
  #id = 0
  #ended

  static async start(file, options = {}) {
    const started = new Program()
    const [command, ...args] = commandOf(file, options)
    const child = spawn(command, args, {
      env: environment(options.endpoint, options.env),
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'json',
    })
    started.#child = child
    started.#ended = new Promise((done) => child.once('exit', (code, signal) => done(signal ?? code)))
    await new Promise((ready, failed) => {
      child.on('message', ({ id, answer, error }) => {
        if (id === 0) return ready()
        const waiting = started.#waiting.get(id)
        started.#waiting.delete(id)
        if (error === undefined) waiting.done(answer)
        else waiting.failed(new Error(`${file}: ${error}`))
      })
      started.#ended.then((code) => {
        const error = new Error(`${file} ended with ${code}`)
        failed(error)
        for (const waiting of started.#waiting.values()) waiting.failed(error)
      })
    })
    return started
  }

  ask(question, input) {
    const id = ++this.#id
    return new Promise((done, failed) => {
      this.#waiting.set(id, { done, failed })
      this.#child.send({ id, question, input })
    })
  }

  /** Lets it end by itself, delivering what is left. */
  async end() {
    if (this.#child.connected) this.#child.disconnect()
    const code = await this.#ended
    if (code !== 0) throw new Error(`a program ended with ${code}`)
  }
}

/** Runs a program once, from start to end. Gives milliseconds of wall time. */
export async function runOnce(file, options = {}) {
  const [command, ...args] = commandOf(file, options)
  const env = environment(options.endpoint, options.env)
  const start = performance.now()
  const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  const code = await new Promise((done) => child.once('exit', done))
  const time = performance.now() - start
  if (code !== 0) throw new Error(`${file} ended with ${code}`)
  return time
}

/** An OTLP receiver in a process of its own, for `work` to deliver to. */
export async function withReceiver(work) {
  const receiver = await Program.start(resolve(here, 'receiver.js'), { core: ASIDE })
  try {
    const base = await receiver.ask('endpoint')
    const senders = []
    return await work({
      /** Where a variant sends its spans, so that each one's are counted apart. */
      endpointOf(variant) {
        if (!senders.includes(variant)) senders.push(variant)
        return `${base}/${senders.indexOf(variant)}`
      },
      /** Spans that have arrived, by variant. */
      async arrived() {
        const spans = await receiver.ask('spans')
        return Object.fromEntries(senders.map((variant, i) => [variant, spans[i] ?? 0]))
      },
    })
  } finally {
    await receiver.end()
  }
}

/**
 * Asks each variant for a block in turn, round after round. The first round warms up and is not counted.
 * @param variants Functions that give one figure, or an object of figures, by name.
 */
export async function alternate(variants, rounds) {
  const figures = Object.fromEntries(Object.keys(variants).map((name) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const [name, block] of Object.entries(variants)) {
      const figure = await block()
      if (round > 0) figures[name].push(figure)
    }
  }
  return figures
}

/** The blocks of a measure that all variants have: `block(value, variant)` for each of `values`. */
export function each(values, block) {
  return Object.fromEntries(
    Object.entries(values).map(([variant, value]) => [variant, () => block(value, variant)]),
  )
}

export function median(list) {
  const sorted = [...list].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

/** Median of `a[i] / b[i]`. */
export const ratio = (a, b) => median(a.map((value, i) => value / b[i]))

/** Median of `a[i] - b[i]`. */
export const difference = (a, b) => median(a.map((value, i) => value - b[i]))
