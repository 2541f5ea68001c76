/** Reads a configuration file. What few main threads need is loaded by them alone. Bundled into one file, with the parser of YAML. */
import { readFileSync, statSync } from 'node:fs'
import { isScalar, LineCounter, parseDocument, visit } from 'yaml'
import { stderrLog } from '../collector/stderr-log.js'
import { configFileOf } from '../config/file/config-file-of.js'
import { type ResolvedFile, resolveFile } from '../config/file/resolve.js'
import { ConfigFileError } from '../config/file/section.js'
import { resolveScalar, substitute } from '../config/file/substitute.js'
import { readLogLevel } from '../config/log-level.js'
import { type Environment, Variables } from '../config/variables.js'
import { printable } from '../trace/text.js'

/** Bytes of a file. */
const MOST_BYTES = 1 << 20

function readDocument(path: string, env: Environment): unknown {
  if (statSync(path).size > MOST_BYTES) throw new ConfigFileError('', `it is larger than ${MOST_BYTES} bytes`)
  const lineCounter = new LineCounter()
  const document = parseDocument(readFileSync(path, 'utf8'), {
    lineCounter,
    version: '1.2',
    schema: 'core',
    prettyErrors: true,
  })
  const [error] = document.errors
  if (error !== undefined) throw new ConfigFileError('', error.message.split('\n', 1)[0]!.replace(/:$/, ''))
  visit(document, {
    Scalar(key, node) {
      // Keys are no place for references.
      if (key === 'key' || !isScalar(node)) return
      const isPlain = node.type === 'PLAIN'
      const text = isPlain ? node.source : node.value
      if (typeof text !== 'string' || !text.includes('$')) return
      const { line, col } = lineCounter.linePos(node.range?.[0] ?? 0)
      const replaced = substitute(text, env, `line ${line}, column ${col}`)
      node.value = isPlain ? resolveScalar(replaced) : replaced
    },
  })
  return document.toJS()
}

/** What the environment comes to; undefined where it names no file. Nothing is told. */
export function resolveEnvironment(env: Environment): ResolvedFile | undefined {
  const file = configFileOf(env)
  if (file === undefined) return undefined
  const { overlay, notices } = resolveFile(file, env, (from) => readDocument(file, from))
  // Names of the file's are in them.
  return { overlay, notices: notices.map((one) => ({ ...one, message: printable(one.message) })) }
}

/** The same, and tells of what is wrong, in a line each. */
export function overlayOf(env: Environment): Readonly<Record<string, string>> | undefined {
  const resolved = resolveEnvironment(env)
  if (resolved === undefined) return undefined
  const log = stderrLog(readLogLevel(new Variables({ ...env, ...resolved.overlay })))
  for (const { level, code, message } of resolved.notices) log(level, code, message)
  return resolved.overlay
}
