// The ways to die, and what must arrive of each: `ended` spans that ended, `open` spans that did not and are closed for the dead.

/** Without `threadspan run` nothing can see these: what was exported until then arrives, and nobody closes what is open. */
const unseen = { open: 0 }
const N = 200

const signals = ['SIGTERM', 'SIGINT', 'SIGHUP']
const modes = ['strict', 'warn', 'none', 'throw', 'warn-with-error-code']

export const endings = [
  { name: 'main: natural end', args: ['work', 'natural'] },
  { name: 'main: process.exit()', args: ['work', 'exit'] },
  { name: 'main: process.exit() a little later', args: ['work', 'exit-later'] },
  { name: 'main: process.exit() after 20,000 spans in a loop', args: ['loop'], ended: 20_000 },
  { name: 'main: process.exitCode', args: ['work', 'exit-code'] },
  { name: 'main: uncaught exception', args: ['work', 'throw'] },
  ...modes.map((mode) => ({
    name: `main: unhandled rejection, ${mode}`,
    node: [`--unhandled-rejections=${mode}`],
    args: ['work', 'reject'],
  })),
  ...signals.map((signal) => ({
    name: `main: ${signal} with a listener`,
    args: ['work', 'signal-heard', N, signal],
  })),
  ...signals.map((signal) => ({
    name: `main: ${signal} without a listener`,
    args: ['work', 'signal', N, signal],
    ...unseen,
  })),
  { name: 'main: SIGTERM while it is busy', args: ['work', 'signal-busy'], ...unseen },
  { name: 'main: process.abort()', args: ['work', 'abort'], ...unseen },
  { name: 'worker: natural end', args: ['worker', 'natural'] },
  { name: 'worker: process.exit()', args: ['worker', 'exit'] },
  { name: 'worker: throw', args: ['worker', 'throw'] },
  { name: 'worker: unhandled rejection', args: ['worker', 'reject'] },
  { name: 'worker: terminate() in a busy loop', args: ['worker', 'terminate'] },
  { name: 'worker: out of memory', args: ['worker', 'memory'] },
  { name: 'worker: the main thread exits', args: ['worker', 'main-exits'] },
  { name: 'worker: its maker is terminated', args: ['worker', 'nested'] },
  { name: 'child: natural end', args: ['child', 'natural'] },
  { name: 'child: process.exit()', args: ['child', 'exit'] },
  { name: 'child: process.exitCode', args: ['child', 'exit-code'] },
  { name: 'child: uncaught exception', args: ['child', 'throw'] },
  { name: 'child: unhandled rejection', args: ['child', 'reject'] },
  ...signals.map((signal) => ({
    name: `child: ${signal} without a listener`,
    args: ['child', 'signal', N, signal],
  })),
  { name: 'child: SIGTERM with a listener', args: ['child', 'signal-heard', N, 'SIGTERM'] },
  { name: 'child: process.abort()', args: ['child', 'abort-at-once'] },
  { name: 'child: SIGKILL at once', args: ['child', 'kill-at-once'] },
  { name: 'child: SIGKILL by its parent', args: ['child', 'killed-by-parent'] },
  { name: 'child: 5,000 spans, then SIGKILL', args: ['child', 'killed-by-parent', 5000] },
  { name: 'child: of a child, SIGKILL', args: ['child', 'grandchild'] },
  { name: 'child: spawnSync', args: ['child', 'sync'] },
  { name: 'child: from a shell', args: ['child', 'shell'] },
  { name: 'child: its parent is killed first', args: ['child', 'parent-killed'], open: 0, lasting: true },
  { name: 'child: its parent exits first', args: ['child', 'parent-exits'], open: 0, lasting: true },
  { name: 'pool: destroy()', args: ['pool', 'destroy'], ended: N + 1, open: 0 },
  { name: 'pool: close()', args: ['pool', 'close'], ended: N + 1, open: 0 },
  { name: 'pool: a task throws astray, respawn', args: ['pool', 'respawn'], ended: N + 3, open: 0 },
  { name: 'pool: idle timeout', args: ['pool', 'idle'], ended: N + 1, open: 0 },
  { name: 'pool: abort of a running task', args: ['pool', 'abort'], ended: N + 1, open: 1 },
  { name: 'run: SIGKILL at once', run: true, args: ['work', 'kill-at-once'] },
  { name: 'run: process.abort() at once', run: true, args: ['work', 'abort-at-once'] },
  { name: 'run: SIGTERM without a listener', run: true, args: ['work', 'signal', N, 'SIGTERM'] },
  { name: 'run: natural end', run: true, args: ['work', 'natural'] },
  { name: 'run: terminate() in a busy loop', run: true, args: ['worker', 'terminate'] },
].map((ending) => ({
  node: [],
  run: false,
  lasting: false,
  open: 1,
  ...ending,
  ended: ending.ended ?? Number(ending.args[2] ?? N),
}))
