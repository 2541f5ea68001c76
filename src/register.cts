/**
 * What `node --require threadspan/register` and `--import threadspan/register` load: it looks whether this Node can take the preload, and
 * loads that.
 *
 * Every Node parses this file. A child inherits `NODE_OPTIONS` whatever its version, and must run as it would without us: so it is not
 * bundled, and is written in the language of Node 12. What it loads is: the paths are those of `dist`.
 */

/** As `child-environment.ts` makes it: what was added to the environment, and what was there before. */
type Manifest = Record<string, [added: string, before: string | null]>

const MANIFEST = 'THREADSPAN_ENVIRONMENT'
const DOCTOR = 'THREADSPAN_DOCTOR'

/** What is ever added to an environment. */
const ADDED = /^(?:NODE_OPTIONS|TRACEPARENT|TRACESTATE|BAGGAGE|THREADSPAN_[A-Z]+)$/

/** Puts the environment back that the parent's program chose. @returns whether the parent has added to it. */
function standAside(): boolean {
  const text = process.env[MANIFEST]
  if (text === undefined) return false
  delete process.env[MANIFEST]
  try {
    const manifest = JSON.parse(text) as Manifest
    for (const name of Object.keys(manifest)) {
      const [added, before] = manifest[name]!
      if (typeof added !== 'string' || process.env[name] !== added || !ADDED.test(name)) continue
      // Whoever sets the environment may have written this: options that were not in there are not put there.
      if (name === 'NODE_OPTIONS' && before !== null && added.indexOf(before) !== 0) continue
      if (before === null) delete process.env[name]
      else if (typeof before === 'string') process.env[name] = before
    }
  } catch (_) {
    // Not as ours are: it stays as it is.
  }
  leaveNothing()
  return true
}

/** What this process starts is not followed, unless it loads the preload by itself: until then it has no use for our settings. */
function leaveNothing(): void {
  const options = process.env['NODE_OPTIONS'] || ''
  if (options.indexOf('threadspan') !== -1) return
  for (const name of Object.keys(process.env)) if (/^THREADSPAN_/.test(name)) delete process.env[name]
}

/** Lets `threadspan doctor` say that this process is too old, where its own part can be read here. */
function tellDoctor(told: string | undefined): void {
  if (told === undefined) return
  try {
    require('./doctor.cjs').watch(told)
  } catch (_) {
    // It is told of the child by its parent.
  }
}

if (typeof process.getBuiltinModule === 'function') {
  require('./preload.cjs')
} else {
  const told = process.env[DOCTOR]
  if (!standAside()) {
    process.emitWarning(`Node ${process.version} is too old: 20.19 is needed. Nothing is traced`, {
      type: 'ThreadspanWarning',
      code: 'THREADSPAN_NODE',
    })
  }
  tellDoctor(told)
}
