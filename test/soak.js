// Two threads and a ring for a long time: nothing lost, nothing torn, and memory flat.
// Usage: node --expose-gc test/soak.js [--seconds N]
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { isMainThread, Worker, workerData } from 'node:worker_threads'

const dist = resolve(process.env.THREADSPAN_DIST ?? 'dist')
const part = (file) => import(pathToFileURL(join(dist, file)).href)
const layout = await part('ring/layout.js')
const { Ring } = await part('ring/ring.js')
const { RingReader, lengthAt } = await part('ring/reader.js')
const { SLOT_SIZE } = await part('recorder/sink.js')

/** Bytes of resident memory by which a run that is flat may differ at its end. */
const MORE = 30e6

/** Milliseconds that a full ring waits for its reader; a machine that keeps that away for longer makes it refuse records. */
const PATIENCE = 1000

/** Content of record `number`: its number, then bytes that follow from it. */
const byteOf = (number, i) => (number * 31 + i) & 255

function write({ memory, control, stop }) {
  const ring = new Ring(memory, control, () => {})
  let scope = ring.defineScope(Buffer.from('s'), '')
  ring.selectScope(scope)
  let number = 0
  for (let state = 1; Atomics.load(stop, 0) === 0; number++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    const size = (16 + ((state >>> 8) % ((state & 63) === 0 ? 12000 : 400)) + 3) & ~3
    if (number % 50_000 === 1) {
      scope = ring.defineScope(Buffer.from(`s${number}`), '')
      ring.selectScope(scope)
    }
    const slot = ring.openSlot()
    ring.armSlot(slot, 4, scope)
    // Refused when the reader was kept away for longer than a full ring waits; counted there, and written all the same.
    let at = ring.reserve(size)
    for (; at < 0; at = ring.reserve(size)) Atomics.add(stop, 3, 1)
    const content = size - 4
    ring.bytes[at] = layout.RECORD_SPAN
    ring.bytes[at + 1] = (content & 127) | 128
    ring.bytes[at + 2] = ((content >> 7) & 127) | 128
    ring.bytes[at + 3] = content >> 14
    ring.bytes.writeUInt32LE(number >>> 0, at + 4)
    for (let i = 8; i < size; i++) ring.bytes[at + i] = byteOf(number, i)
    ring.commit(at + size, slot)
  }
  Atomics.store(stop, 1, number | 0)
  Atomics.store(stop, 2, 1)
}

async function read(seconds) {
  const memory = layout.allocate(1 << 20, 64, SLOT_SIZE)
  const control = new Int32Array(new SharedArrayBuffer(layout.CONTROL_BYTES))
  const stop = new Int32Array(new SharedArrayBuffer(16))
  const writer = new Worker(new URL(import.meta.url), { workerData: { memory, control, stop } })
  let failure
  writer.on('error', (error) => {
    failure = error
  })
  const reader = new RingReader(memory)
  let next = 0
  let torn = 0
  let lost = 0
  let bytesRead = 0
  const target = {
    scope() {},
    spans(_scope, bytes) {
      const copy = Buffer.from(bytes)
      bytesRead += copy.length
      for (let at = 0; at < copy.length; at += 4 + lengthAt(copy, at)) {
        const number = copy.readUInt32LE(at + 4)
        if (number !== next) lost++
        const size = 4 + lengthAt(copy, at)
        for (let i = 8; i < size; i++) {
          if (copy[at + i] === byteOf(number, i)) continue
          torn++
          break
        }
        next = (number + 1) >>> 0
      }
    },
  }
  const until = performance.now() + seconds * 1000
  let early = 0
  let sampled = performance.now()
  let away = 0
  let lookedAt = performance.now()
  while (failure === undefined && (stop[2] === 0 || reader.waiting > 0)) {
    away = Math.max(away, performance.now() - lookedAt)
    lookedAt = performance.now()
    if (reader.drain(target) === 0) await new Promise((done) => setTimeout(done, 1))
    else await new Promise((done) => setImmediate(done))
    if (performance.now() > until) Atomics.store(stop, 0, 1)
    if (performance.now() - sampled < (seconds * 1000) / 10) continue
    sampled = performance.now()
    globalThis.gc?.()
    const { rss } = process.memoryUsage()
    if (early === 0) early = rss
    console.log(`${next} records, ${(bytesRead / 1e9).toFixed(2)} GB, ${Math.round(rss / 1e6)} MB resident`)
  }
  if (failure !== undefined) throw failure
  globalThis.gc?.()
  const grown = process.memoryUsage().rss - early
  const open = [...reader.open()].length
  // Every break in the sequence is counted in `lost`; what is missing at its end shows here, as do the writer's own losses.
  const isWhole = next === stop[1] >>> 0
  const refused = stop[3]
  const isExplained = refused === 0 || away > PATIENCE
  const isCounted = (reader.takeLosses()[0]?.spans ?? 0) === refused
  const isGood =
    isWhole &&
    isExplained &&
    isCounted &&
    lost === 0 &&
    torn === 0 &&
    open === 0 &&
    reader.corruptions === 0 &&
    grown < MORE
  console.log(`
${next} of ${stop[1] >>> 0} records arrived in order, ${(bytesRead / 1e9).toFixed(2)} GB in ${seconds} s
${lost} lost, ${torn} torn, ${reader.corruptions} corrupt, ${open} left open
${refused} times refused, ${isCounted ? '' : 'NOT '}counted; the reader was away for ${Math.round(away)} ms at most
${Math.round(grown / 1e6)} MB more resident than after a tenth of the time; ${MORE / 1e6} MB are allowed
${isGood ? 'as it must be' : 'NOT as it must be'}`)
  process.exitCode = isGood ? 0 : 1
}

if (isMainThread) {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '600' } } })
  await read(Number(values.seconds))
} else {
  write(workerData)
}
