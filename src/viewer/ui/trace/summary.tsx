import { count, duration, percent, plural } from '../../model/format.js'
import { nameOf } from '../../model/trace.js'
import type { TraceView } from './view.js'

/** What running in parallel gave: one sentence, and the numbers. */
export function Summary({ view }: { view: TraceView }) {
  const { trace } = view
  const sum = view.sum.value
  const { peak } = view.steps.value
  const path = view.path.value
  const longest = sum.waits[0]
  let onRoot = 0
  for (let i = 0; i < path.count; i++) {
    if (path.span[i] === view.root.value) onRoot += path.end[i]! - path.start[i]!
  }
  const ran = path.count === 0 ? 0 : trace.end[view.root.value]! - trace.start[view.root.value]!
  return (
    <section class="summary" aria-label="What parallelism gave">
      <p>
        <b>{sentence(view)}</b>
        {longest !== undefined && (
          <>
            {' '}
            Longest wait in a queue {duration(trace.wait[longest]!)}:{' '}
            <button type="button" class="link" onClick={() => view.select(longest, true)}>
              {nameOf(trace, longest).slice(0, 80)}
            </button>
            .
          </>
        )}
        {sum.idle.length > 0 && (
          <span class="muted">
            {' '}
            {plural(sum.idle.length, 'thread')} nearly idle:{' '}
            {sum.idle
              .slice(0, 3)
              .map((thread) => threadName(trace, thread))
              .join(', ')}
            {sum.idle.length > 3 && ` and ${sum.idle.length - 3} more`}.
          </span>
        )}
      </p>
      <details class="figures" open={innerWidth > 800 && innerHeight > 640}>
        <summary>Figures</summary>
        <dl class="tiles">
          <Tile name="Wall time" value={duration(sum.wall)} />
          <Tile
            name="Busy time"
            value={duration(sum.busy)}
            hint="Self time of all spans, queue waits left out"
          />
          <Tile name="Speed-up" value={`${times(sum.speedup)}×`} hint="Busy time over wall time" />
          <Tile name="At once, most" value={count(peak)} hint="Spans at work at the same instant" />
          <Tile name="Threads" value={count(sum.threads.length)} />
          <Tile name="Waited in queues" value={duration(sum.waited)} hint="Sum over all spans" />
          <Tile
            name="Root awaited others"
            value={ran > 0 ? percent(1 - onRoot / ran) : '–'}
            hint="Share of the root's time in which it waited for another span"
          />
        </dl>
      </details>
    </section>
  )
}

function sentence({ trace, sum }: TraceView): string {
  const { wall, busy, speedup, threads } = sum.value
  const processes = new Set(threads.map(({ thread }) => trace.threads[thread]!.process)).size
  const where = `${plural(threads.length, 'thread')}${processes > 1 ? ` in ${processes} processes` : ''}`
  if (wall === 0) return `${plural(trace.size, 'span')} of no length on ${where}.`
  if (speedup < 1.05)
    return `${duration(busy)} of activity in ${duration(wall)} on ${where}: nothing ran in parallel.`
  return `${duration(busy)} of activity in ${duration(wall)} on ${where}: ${times(speedup)} times as fast as one after another.`
}

/** A thread, with its process where there are several: each has its main thread. */
function threadName({ threads, processes }: TraceView['trace'], thread: number): string {
  const { label, process } = threads[thread]!
  return processes.length > 1 ? `${label} of ${processes[process]?.label ?? 'an unknown process'}` : label
}

function times(speedup: number): string {
  return speedup < 100 ? speedup.toFixed(1) : count(Math.round(speedup))
}

function Tile({ name, value, hint }: { name: string; value: string; hint?: string }) {
  return (
    <div class="tile" title={hint}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}
