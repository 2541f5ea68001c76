import type { StackFrame } from '../api.js'

export type Frame = StackFrame

const MAX_FRAMES = 100
const MAX_LINE = 1000

/** `at run (file:///app/src/orders.js:12:3)`, `at /app/src/orders.js:12:3`, and Python's `File "/app/orders.py", line 12`. */
const NODE_FRAME = /^\s*at (?:.*?\()?(?:file:\/\/)?([^()]*?):(\d+)(?::\d+)?\)?$/
const PYTHON_FRAME = /^\s*File "([^"]+)", line (\d+)/
const JAVA_FRAME = /^\s*at [\w.$<>/]+\(([\w.-]+):(\d+)\)$/

/** The frames of `exception.stacktrace`; lines that are none are left out. */
export function parseStack(stack: string): Frame[] {
  const frames: Frame[] = []
  for (const raw of stack.split('\n')) {
    const text = raw.slice(0, MAX_LINE).trim()
    const match = JAVA_FRAME.exec(text) ?? NODE_FRAME.exec(text) ?? PYTHON_FRAME.exec(text)
    if (match !== null) {
      const file = match[1]!
      frames.push({ text, file, line: Number(match[2]), library: isLibrary(file) })
    } else if (text.startsWith('at ')) frames.push({ text, file: '', line: 0, library: true })
    if (frames.length === MAX_FRAMES) break
  }
  return frames
}

/** The demo that comes with the package is a program of its own, wherever the package is installed. */
const DEMO = /[\\/]threadspan[\\/]dist[\\/]cli[\\/]demo[\\/]app[\\/]/

function isLibrary(file: string): boolean {
  if (DEMO.test(file)) return false
  return /^node:|^internal\/|[\\/]node_modules[\\/]|[\\/]site-packages[\\/]|^<anonymous>$|^native$/.test(file)
}

/** The innermost frame of the application as `src/orders.js:12`: the last two parts of the path. */
export function culpritOf(frames: readonly Frame[]): string {
  const frame = frames.find(({ library }) => !library) ?? frames.find(({ file }) => file !== '')
  if (frame === undefined) return ''
  return `${frame.file.split(/[\\/]/).slice(-2).join('/')}:${frame.line}`
}
