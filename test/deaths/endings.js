// The ways to die, and what must arrive of each: `ended` spans that ended, `open` spans that did not and are closed for the dead,
// with `reason`.
//
//   node        options of Node for the program
//   run         under `threadspan run`
//   killed      the signal that the program gets from outside, once it says that it may
//   isExported  its death comes once all that can be exported has been
//   exported    how many spans that is, where the program goes on to make more
//   spool       there is a spool, and another program starts with it afterwards
//   isOutlived  a descendant of the program lives on
//   isFatal     Node prints a report of its own end on stderr

const N = 200
const signals = ['SIGTERM', 'SIGINT', 'SIGHUP']
const SMALL = '--max-old-space-size=40'

/** Without `threadspan run` nothing can see these: what was exported until then arrives, and nobody closes what is open. */
const unseen = { isExported: true, open: 0 }

const exited = (code) => `process exited with code ${code}`
const killed = (signal) => `process killed by ${signal}`
const uncaught = (name) => `${exited(1)} after an uncaught ${name}`
const workerExited = (code) => `worker exited with code ${code}`
const workerFailed = (name) => `worker ended by an uncaught ${name}`

/** Where an unhandled rejection ends the process or thread, and with which code else. */
const rejections = {
  strict: undefined,
  throw: undefined,
  warn: 0,
  none: 0,
  'warn-with-error-code': 1,
}
const byRejection = (row) =>
  Object.entries(rejections).map(([mode, code]) => row(mode, `--unhandled-rejections=${mode}`, code))

const main = [
  { name: 'natural end', args: ['work', 'natural'], reason: exited(0) },
  { name: 'process.exit()', args: ['work', 'exit'], reason: exited(3) },
  { name: 'process.exit() a little later', args: ['work', 'exit-later'], reason: exited(0) },
  { name: 'process.exit() after 20,000 spans in a loop', args: ['loop'], ended: 20_000, reason: exited(0) },
  { name: 'process.exitCode', args: ['work', 'exit-code'], reason: exited(5) },
  { name: 'uncaught exception', args: ['work', 'throw'], reason: uncaught('TypeError') },
  ...byRejection((mode, option, code) => ({
    name: `unhandled rejection, ${mode}`,
    node: [option],
    args: ['work', 'reject'],
    reason: code === undefined ? uncaught('RangeError') : exited(code),
  })),
  ...signals.map((signal) => ({
    name: `${signal} with a listener`,
    args: ['work', 'signal-heard', N, signal],
    reason: exited(7),
  })),
  ...[...signals, 'SIGQUIT', 'SIGUSR2', 'SIGKILL'].map((signal) => ({
    name: `${signal} to itself, without a listener`,
    args: ['work', 'signal', N, signal],
    reason: killed(signal),
  })),
  ...[...signals, 'SIGQUIT', 'SIGUSR2'].map((signal) => ({
    name: `${signal} to itself, once what it made is exported`,
    args: ['work', 'signal-exported', N, signal],
    isExported: true,
    exported: N,
    reason: killed(signal),
  })),
  ...['idle', 'busy', 'waiting'].flatMap((how) =>
    [...signals, 'SIGQUIT'].map((signal) => ({
      name: `${signal} without a listener while it is ${how}`,
      args: ['work', 'work-on', N, how],
      isExported: true,
      exported: N,
      ended: 2 * N,
      open: 2,
      killed: signal,
      reason: killed(signal),
    })),
  ),
  {
    name: 'SIGTERM without a listener beside a Worker',
    args: ['work', 'work-on-beside'],
    isExported: true,
    exported: N,
    ended: 3 * N,
    open: 3,
    killed: 'SIGTERM',
    reason: killed('SIGTERM'),
  },
  { name: 'SIGKILL while it is busy', args: ['work', 'busy-killable'], killed: 'SIGKILL', ...unseen },
  { name: 'process.abort()', args: ['work', 'abort-exported'], ...unseen },
  { name: 'out of memory', node: [SMALL], args: ['work', 'memory-exported'], isFatal: true, ...unseen },
]

/**
 * Of a program with a spool: its next start tells of its end, and when it was last heard of. No request is on its way at that moment: one
 * whose answer nobody hears is sent again.
 */
const spooled = {
  spool: true,
  env: { OTEL_BSP_SCHEDULE_DELAY: '60000' },
  isExported: true,
  exported: N,
  isOutlived: true,
  reason: 'process is gone',
}
const next = [
  {
    name: 'SIGKILL while it is busy',
    args: ['work', 'work-on-slowly'],
    ended: 2 * N,
    open: 2,
    killed: 'SIGKILL',
    ...spooled,
  },
  { name: 'process.abort()', args: ['work', 'abort-on'], ended: 2 * N, open: 2, ...spooled },
  {
    name: 'out of memory',
    node: [SMALL],
    args: ['work', 'memory-on'],
    ended: 2 * N,
    open: 2,
    isFatal: true,
    ...spooled,
  },
]

const worker = [
  { name: 'natural end', args: ['worker', 'natural'], reason: workerExited(0) },
  { name: 'process.exit()', args: ['worker', 'exit'], reason: workerExited(3) },
  { name: 'process.exitCode', args: ['worker', 'exit-code'], reason: workerExited(5) },
  { name: 'throw', args: ['worker', 'throw'], reason: workerFailed('TypeError') },
  ...byRejection((mode, option, code) => ({
    name: `unhandled rejection, ${mode}`,
    args: ['worker', 'reject', N, option],
    reason: code === undefined ? workerFailed('RangeError') : workerExited(code),
  })),
  {
    name: 'unhandled rejection, NODE_OPTIONS',
    env: { NODE_OPTIONS: '--unhandled-rejections=warn-with-error-code' },
    args: ['worker', 'reject'],
    reason: workerExited(1),
  },
  {
    name: 'process.abort(), which Workers refuse',
    args: ['worker', 'abort'],
    reason: workerFailed('TypeError'),
  },
  { name: 'terminate() in a busy loop', args: ['worker', 'terminate'], reason: 'worker terminated' },
  { name: 'out of memory', args: ['worker', 'memory'], reason: 'worker ran out of memory' },
  { name: 'the main thread exits', args: ['worker', 'main-exits'], reason: exited(4) },
  { name: 'its maker is terminated', args: ['worker', 'nested'], reason: 'worker terminated' },
]

const child = [
  { name: 'natural end', args: ['child', 'natural'], reason: exited(0) },
  { name: 'process.exit()', args: ['child', 'exit'], reason: exited(3) },
  { name: 'process.exitCode', args: ['child', 'exit-code'], reason: exited(5) },
  { name: 'uncaught exception', args: ['child', 'throw'], reason: uncaught('TypeError') },
  ...byRejection((mode, option, code) => ({
    name: `unhandled rejection, ${mode}`,
    args: ['child', 'reject', N, option],
    reason: code === undefined ? uncaught('RangeError') : exited(code),
  })),
  {
    name: 'unhandled rejection, NODE_OPTIONS',
    env: { NODE_OPTIONS: '--unhandled-rejections=warn-with-error-code' },
    args: ['child', 'reject'],
    reason: exited(1),
  },
  ...signals.map((signal) => ({
    name: `${signal} without a listener`,
    args: ['child', 'signal', N, signal],
    reason: killed(signal),
  })),
  ...signals.map((signal) => ({
    name: `${signal} with a listener`,
    args: ['child', 'signal-heard', N, signal],
    reason: exited(7),
  })),
  { name: 'process.abort()', args: ['child', 'abort'], reason: killed('SIGABRT') },
  { name: 'out of memory', args: ['child', 'memory', N, SMALL], isFatal: true, reason: killed('SIGABRT') },
  { name: 'SIGKILL at once', args: ['child', 'signal', N, 'SIGKILL'], reason: killed('SIGKILL') },
  { name: 'SIGKILL by its parent', args: ['child', 'killed-by-parent'], reason: killed('SIGKILL') },
  { name: 'SIGKILL while it is busy', args: ['child', 'killed-while-busy'], reason: killed('SIGKILL') },
  { name: '5,000 spans, then SIGKILL', args: ['child', 'killed-by-parent', 5000], reason: killed('SIGKILL') },
  { name: 'of a child, SIGKILL', args: ['child', 'grandchild'], reason: killed('SIGKILL') },
  { name: 'spawnSync', args: ['child', 'sync'], reason: exited(0) },
  { name: 'from a shell', args: ['child', 'shell'], reason: exited(0) },
  { name: 'from a shell, SIGKILL', args: ['child', 'shell-killed'], reason: 'process is gone' },
  {
    name: 'its parent is killed first',
    args: ['child', 'parent-killed'],
    isOutlived: true,
    reason: exited(0),
  },
  { name: 'its parent exits first', args: ['child', 'parent-exits'], isOutlived: true, reason: exited(0) },
]

const pool = [
  { name: 'destroy()', args: ['pool', 'destroy'], ended: N + 1, open: 0 },
  { name: 'close()', args: ['pool', 'close'], ended: N + 1, open: 0 },
  { name: 'a task throws astray, respawn', args: ['pool', 'respawn'], ended: N + 3, open: 0 },
  { name: 'idle timeout', args: ['pool', 'idle'], ended: N + 1, open: 0 },
  { name: 'abort of a running task', args: ['pool', 'abort'], ended: N + 1, reason: 'worker terminated' },
  {
    name: 'a task runs out of memory',
    args: ['pool', 'memory'],
    ended: N + 2,
    reason: 'worker ran out of memory',
  },
]

const run = [
  { name: 'SIGKILL at once', args: ['work', 'signal', N, 'SIGKILL'], reason: killed('SIGKILL') },
  {
    name: 'SIGKILL while it is busy',
    args: ['work', 'busy-killable'],
    killed: 'SIGKILL',
    reason: killed('SIGKILL'),
  },
  {
    name: 'SIGKILL by one of its Workers',
    args: ['worker', 'signal-later', N, 'SIGKILL'],
    reason: killed('SIGKILL'),
  },
  { name: 'process.abort() at once', args: ['work', 'abort'], reason: killed('SIGABRT') },
  ...signals.map((signal) => ({
    name: `${signal} without a listener`,
    args: ['work', 'signal', N, signal],
    reason: killed(signal),
  })),
  {
    name: 'out of memory',
    node: [SMALL],
    args: ['work', 'memory'],
    isFatal: true,
    reason: killed('SIGABRT'),
  },
  { name: 'natural end', args: ['work', 'natural'], reason: exited(0) },
  { name: 'terminate() in a busy loop', args: ['worker', 'terminate'], reason: 'worker terminated' },
].map((ending) => ({ ...ending, run: true }))

export const endings = Object.entries({ main, next, worker, child, pool, run }).flatMap(([who, rows]) =>
  rows.map((ending) => ({
    node: [],
    run: false,
    isExported: false,
    isOutlived: false,
    isFatal: false,
    open: 1,
    ...ending,
    name: `${who}: ${ending.name}`,
    ended: ending.ended ?? Number(ending.args[2] ?? N),
  })),
)
