import { readFileSync } from 'node:fs'

/**
 * Microseconds of processor time that this thread has used. Node 20 and 22 have no function for it, Linux has a file; elsewhere it
 * is the wall clock, and says so by `isWallTime`.
 */
const schedstat = `/proc/self/task/${process.pid}/schedstat`

function fromLinux() {
  return Number(readFileSync(schedstat, 'latin1').split(' ')[0]) / 1e3
}

function fromNode() {
  const { user, system } = process.threadCpuUsage()
  return user + system
}

function choose() {
  if (typeof process.threadCpuUsage === 'function') return fromNode
  try {
    fromLinux()
    return fromLinux
  } catch {
    return () => performance.now() * 1e3
  }
}

export const threadTime = choose()

/** Microseconds of wall time for each of `count` repetitions, and of all threads' processor time up to the delivery of what was made. */
export async function processorTime(count, deliver, work) {
  const used = process.cpuUsage()
  const start = performance.now()
  await work()
  const wall = ((performance.now() - start) * 1e3) / count
  await deliver()
  const { user, system } = process.cpuUsage(used)
  return { wall, cpu: (user + system) / count }
}
