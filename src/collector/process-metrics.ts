/**
 * What the telemetry thread tells of the process and the system by itself, by OpenTelemetry's semantic conventions (1.45, "OS process",
 * "System" and "Container" metrics): nothing runs in the application's threads for it, and nothing where nobody reads.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { cpus, freemem, totalmem } from 'node:os'
import { now, unixNano } from '../core/clock.js'
import type { Metric, NumberPoint } from '../otlp/metrics-types.js'
import type { Attributes } from '../otlp/types.js'

type Value = readonly [value: number, attributes?: Attributes]

const CGROUP = '/sys/fs/cgroup'

function number(path: string, pattern = /^(\d+)$/m): number | undefined {
  try {
    const found = pattern.exec(readFileSync(path, 'latin1'))?.[1]
    return found === undefined ? undefined : Number(found)
  } catch {
    return undefined
  }
}

function openFiles(): number | undefined {
  try {
    // The folder that is read is one of them.
    return readdirSync('/proc/self/fd').length - 1
  } catch {
    return undefined
  }
}

/** Seconds of processor time of the container, by cgroup v2 or v1. */
function containerTime(): number | undefined {
  const micros = number(`${CGROUP}/cpu.stat`, /^usage_usec (\d+)$/m)
  if (micros !== undefined) return micros / 1e6
  const nanos = number(`${CGROUP}/cpuacct/cpuacct.usage`)
  return nanos === undefined ? undefined : nanos / 1e9
}

function containerMemory(): number | undefined {
  return number(`${CGROUP}/memory.current`) ?? number(`${CGROUP}/memory/memory.usage_in_bytes`)
}

/** @param since When the process began, in nanoseconds since the epoch. */
export function processMetrics(since: bigint): Metric[] {
  const time = unixNano(now())
  const points = (values: readonly Value[], start: bigint, isDouble: boolean): NumberPoint[] =>
    values.map(([value, attributes = {}]) => ({
      attributes,
      value,
      ...(isDouble ? { isDouble } : {}),
      startTimeUnixNano: start,
      timeUnixNano: time,
      flags: 0,
    }))
  const sum = (
    name: string,
    unit: string,
    description: string,
    monotonic: boolean,
    values: Value[],
  ): Metric => ({
    name,
    unit,
    description,
    data: { kind: 'sum', points: points(values, since, unit === 's'), temporality: 2, monotonic },
  })
  const mode = (name: string): Attributes => ({ 'cpu.mode': name })
  const state = (name: string): Attributes => ({ 'system.memory.state': name })

  const own = process.cpuUsage()
  const all = { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 }
  for (const { times } of cpus())
    for (const key of ['user', 'nice', 'sys', 'idle', 'irq'] as const) all[key] += times[key]
  const free = freemem()
  const metrics = [
    sum('process.cpu.time', 's', 'Total CPU seconds broken down by different CPU modes.', true, [
      [own.user / 1e6, mode('user')],
      [own.system / 1e6, mode('system')],
    ]),
    sum('process.memory.usage', 'By', 'The amount of physical memory in use.', false, [
      [process.memoryUsage.rss()],
    ]),
    sum('system.cpu.time', 's', 'Seconds each logical CPU spent on each mode.', true, [
      [all.user / 1e3, mode('user')],
      [all.nice / 1e3, mode('nice')],
      [all.sys / 1e3, mode('system')],
      [all.idle / 1e3, mode('idle')],
      [all.irq / 1e3, mode('interrupt')],
    ]),
    sum('system.memory.usage', 'By', 'Reports memory in use by state.', false, [
      [totalmem() - free, state('used')],
      [free, state('free')],
    ]),
  ]
  const uptime = points([[process.uptime()]], 0n, true)
  metrics.push({
    name: 'process.uptime',
    unit: 's',
    description: 'The time the process has been running.',
    data: { kind: 'gauge', points: uptime },
  })
  const optional: [
    name: string,
    unit: string,
    description: string,
    monotonic: boolean,
    value: number | undefined,
  ][] = [
    [
      'process.unix.file_descriptor.count',
      '{file_descriptor}',
      'Number of unix file descriptors in use by the process.',
      false,
      openFiles(),
    ],
    ['container.cpu.time', 's', 'Total CPU time consumed.', true, containerTime()],
    ['container.memory.usage', 'By', 'Memory usage of the container.', false, containerMemory()],
  ]
  for (const [name, unit, description, monotonic, value] of optional)
    if (value !== undefined) metrics.push(sum(name, unit, description, monotonic, [[value]]))
  return metrics
}
