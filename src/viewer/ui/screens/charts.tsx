import { useMemo } from 'preact/hooks'
import type { Series } from '../../api.js'
import { count, duration, mark } from '../../model/format.js'
import { Chart } from '../parts/chart.js'
import { setParams } from '../route.js'

const CLASSES: Readonly<Record<string, string>> = {
  ok: '--status-ok',
  '1xx': '--status-1',
  '2xx': '--status-2',
  '3xx': '--status-3',
  '4xx': '--status-4',
  '5xx': '--status-5',
  error: '--error',
}

/** How many transactions there were of each class of status. */
export function StatusesOverTime({ data }: { data: Series | null }) {
  const lines = useMemo(
    () =>
      data?.classes.map(({ name, count: values }) => ({
        label: name,
        values,
        token: CLASSES[name] ?? '--hue-0',
        bars: true,
        summary: count(values.reduce((a, b) => a + b, 0)),
      })) ?? [],
    [data],
  )
  return (
    <Chart
      title={`Transactions by status${data === null ? '' : `, per ${mark(data.step, data.step)}`}`}
      times={data?.times ?? null}
      step={data?.step ?? 0}
      lines={lines}
      format={count}
      stacked
      onSelect={selectTime}
    />
  )
}

/** Mean and percentiles over time. */
export function LatencyOverTime({ data }: { data: Series | null }) {
  const lines = useMemo(
    () =>
      [
        { label: 'mean', values: data?.mean ?? [], token: '--line-5', dash: [8, 3] },
        { label: 'p50', values: data?.p50 ?? [], token: '--line-1' },
        { label: 'p95', values: data?.p95 ?? [], token: '--line-2', dash: [6, 3] },
        { label: 'p99', values: data?.p99 ?? [], token: '--line-3', dash: [2, 3] },
      ].map((line) => ({ ...line, summary: highest(line.values) })),
    [data],
  )
  return (
    <Chart
      title="Latency"
      times={data?.times ?? null}
      step={data?.step ?? 0}
      lines={lines}
      format={duration}
      log="latency"
      onSelect={selectTime}
    />
  )
}

function highest(values: readonly (number | null)[]): string {
  const most = values.reduce<number | null>((a, b) => (b !== null && (a === null || b > a) ? b : a), null)
  return most === null ? '–' : `up to ${duration(most)}`
}

function selectTime(from: number, to: number): void {
  setParams({ from: Math.floor(from), to: Math.ceil(to), last: undefined })
}
