import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Finding, note, ok, problem } from './finding.js'
import { apiWorks, piscinaIsTested } from './versions.js'

/** Packages that make spans themselves: with one of these the application has an SDK of its own. */
const SDKS = [
  '@opentelemetry/sdk-node',
  '@opentelemetry/sdk-trace-node',
  '@opentelemetry/sdk-trace-base',
  '@opentelemetry/sdk-trace',
]
const AGENTS = ['@elastic/opentelemetry-node', 'elastic-apm-node', 'dd-trace', 'newrelic']

/** What this Node, which is new enough where a command runs at all, and the project in `folder` have for tracing. */
export function checkProject(folder: string): Finding[] {
  return [
    ok(`Node ${process.version}`),
    checkSharedMemory(),
    checkApi(folder),
    checkPiscina(folder),
    ...checkOthers(folder),
  ]
}

function checkSharedMemory(): Finding {
  if (typeof SharedArrayBuffer === 'function') return ok('Memory can be shared between threads')
  return problem(
    'There is no SharedArrayBuffer: spans of other threads are lost. Take --no-harmony-sharedarraybuffer out',
  )
}

function checkApi(folder: string): Finding {
  const version = versionOf('@opentelemetry/api', folder)
  if (version === undefined) {
    return note(
      '@opentelemetry/api is not installed in this project: only what is followed by itself is traced. npm install @opentelemetry/api',
    )
  }
  if (apiWorks(version)) return ok(`@opentelemetry/api ${version}`)
  return problem(`@opentelemetry/api ${version} does not work with this package: 1.9 or 1.10 is needed`)
}

function checkPiscina(folder: string): Finding {
  const version = versionOf('piscina', folder)
  if (version === undefined) return note('piscina is not installed in this project')
  if (piscinaIsTested(version)) return ok(`piscina ${version}`)
  return note(`piscina ${version}: this package is tested with versions 4.4 to 5`)
}

function checkOthers(folder: string): Finding[] {
  const found = (names: string[]) => names.filter((name) => versionOf(name, folder) !== undefined)
  const findings: Finding[] = []
  const sdks = found(SDKS)
  if (sdks.length !== 0) {
    findings.push(
      note(`${sdks.join(', ')}: if the application starts this SDK, it keeps its job and is given our spans`),
    )
  }
  for (const agent of found(AGENTS)) findings.push(note(`${agent} is installed: run one agent at a time`))
  return findings
}

/** The version of a package as a program in `folder` gets it; undefined where there is none. */
function versionOf(name: string, folder: string): string | undefined {
  try {
    const { resolve } = createRequire(join(folder, 'index.js'))
    // Many packages do not export their package.json, but all have one above what they do export.
    for (let path = dirname(resolve(name)); path !== dirname(path); path = dirname(path)) {
      const file = join(path, 'package.json')
      if (!existsSync(file)) continue
      const described = JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown; version?: unknown }
      if (described.name === name && typeof described.version === 'string') return described.version
    }
  } catch {}
  return undefined
}
