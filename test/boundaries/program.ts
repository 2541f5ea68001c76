import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { dist } from '../support/dist.js'

/** What the boundaries told the preload, in order of time over all threads and processes. */
export interface Told {
  what: 'handoff' | 'environment' | 'open' | 'created' | 'started' | 'ended' | 'failed'
  kind?: 'worker' | 'child'
  id?: number
  pid: number
  thread: number
  [detail: string]: unknown
}

export interface Outcome {
  stdout: string
  stderr: string
  code: number | null
  signal: string | null
  told: Told[]
}

export const fixtures = resolve('test/fixtures/boundaries')

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'threadspan boundaries ')))
after(() => rmSync(folder, { recursive: true, force: true }))
const log = join(folder, 'told')

/**
 * A preload that only tells what it sees, bundled as the real one. Workers and children named `left-alone` are. The folder has a
 * space and a quote in its name where the system allows it: the path has to get through NODE_OPTIONS.
 */
async function bundle(): Promise<string> {
  const directory = join(folder, process.platform === 'win32' ? 'a b' : 'a "b')
  mkdirSync(directory)
  const entry = join(folder, 'entry.mjs')
  const imported = (file: string) => JSON.stringify(fileURLToPath(dist(file)))
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  writeFileSync(
    entry,
    `import { appendFileSync } from 'node:fs'
    import { isMainThread, threadId } from 'node:worker_threads'
    import { receiveHandoff, untracedWorker } from ${imported('boundaries/handoff.js')}
    import { followWorkers } from ${imported('boundaries/worker-threads.js')}
    import { followChildren, restoreEnvironment } from ${imported('boundaries/child-process.js')}
    import { ownPreload } from ${imported('boundaries/own-preload.js')}
    const tell = (what, told) =>
      appendFileSync(${JSON.stringify(log)}, JSON.stringify({ what, ...told, pid: process.pid, thread: threadId }) + '\\n')
    const readable = (error) => error && { name: error.name, code: error.code, message: error.message }
    const handoff = receiveHandoff()
    const environment = restoreEnvironment(ownPreload(__filename))
    if (isMainThread) tell('environment', { environment })
    if (!isMainThread) tell('handoff', { id: handoff?.id, again: receiveHandoff() === handoff })
    let next = threadId * 1000
    const workers = {
      preload: __filename,
      open({ filename, name, eval: isEval }) {
        if (name === 'left-alone' || typeof SharedArrayBuffer === 'undefined') return undefined
        const id = next++
        tell('open', { kind: 'worker', id, filename: String(filename), name, eval: isEval })
        return { id, ring: new SharedArrayBuffer(8) }
      },
      created: (worker, { id }) => tell('created', { kind: 'worker', id, threadId: worker.threadId }),
      ended: (worker, { id }, end) => tell('ended', { kind: 'worker', id, ...end, error: readable(end.error) }),
      failed: ({ id }) => tell('failed', { kind: 'worker', id }),
    }
    const children = {
      preload: __filename,
      open({ file, args, sync }) {
        if (args.includes('left-alone')) return undefined
        const handle = next++
        tell('open', { kind: 'child', id: handle, file, args, sync })
        return { env: { TRACEPARENT: '${trace}', THREADSPAN_TEST: String(handle) }, handle }
      },
      started: (id, child) => tell('started', { kind: 'child', id, child }),
      ended: (id, end) => tell('ended', { kind: 'child', id, ...end, error: readable(end.error) }),
    }
    for (const boundary of [workers, { ...workers, open: () => { throw new Error('followed twice') } }]) followWorkers(boundary)
    for (const boundary of [children, { ...children, open: () => { throw new Error('followed twice') } }]) followChildren(boundary)
    if (untracedWorker() === process.getBuiltinModule('node:worker_threads').Worker) tell('unpatched', {})`,
  )
  const file = join(directory, 'preload.cjs')
  const build = await rolldown({ input: entry, platform: 'node', external: [/^node:/] })
  await build.write({ file, format: 'cjs' })
  return file
}

/** Absolute path of the preload, with characters in it that need quoting. */
export const preload = await bundle()

/** `preload` as one word of NODE_OPTIONS. */
export const quotedPreload = `"${preload.replace(/["\\]/g, '\\$&')}"`

/** Runs a program of the fixtures, or Node with other arguments, and collects all there is to see of it. */
export function run(
  args: string[],
  { cwd = fixtures, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Outcome> {
  writeFileSync(log, '')
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, NODE_V8_COVERAGE: ___, ...rest } = process.env
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...rest, ...env },
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
  return new Promise((done, fail) => {
    child.on('error', fail)
    child.on('close', (code, signal) => {
      const told = readFileSync(log, 'utf8').split('\n').filter(Boolean)
      done({ stdout, stderr, code, signal, told: told.map((line) => JSON.parse(line) as Told) })
    })
  })
}

/** Runs a program plainly and with the preload, for a comparison of the two. */
export async function runBoth(
  args: string[],
  options: Parameters<typeof run>[1] = {},
): Promise<[Outcome, Outcome]> {
  return [await run(args, options), await run(['--require', preload, ...args], options)]
}
