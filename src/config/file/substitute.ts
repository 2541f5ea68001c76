/** Environment variables in a configuration file (OpenTelemetry's "Configuration Data Model", "Environment variable substitution"). */
import type { Environment } from '../variables.js'
import { ConfigFileError } from './section.js'

const REFERENCE = /\$\{(?:([a-zA-Z][a-zA-Z0-9_]*):(?!-))?([^}]+)\}/g
const VARIABLE = /^([a-zA-Z_][a-zA-Z0-9_]*)(?::-([^\n]*))?$/

/**
 * A scalar with its references replaced; what replaces one is taken as it is.
 *
 * @param path Where the scalar is, for the error.
 * @throws ConfigFileError where a reference is none.
 */
export function substitute(text: string, env: Environment, path: string): string {
  // From escape to escape: what one yields is no part of a reference.
  return text
    .split('$$')
    .map((part) =>
      part.replace(REFERENCE, (_reference, prefix: string | undefined, content: string) => {
        const match = prefix === undefined || prefix === 'env' ? VARIABLE.exec(content) : null
        if (match === null) throw new ConfigFileError(path, 'it has a reference to a variable that is none')
        const value = env[match[1]!]
        return value === undefined || value === '' ? (match[2] ?? '') : value
      }),
    )
    .join('$')
}

/** A plain scalar by YAML 1.2's core schema. */
export function resolveScalar(text: string): unknown {
  if (/^(?:~|null|Null|NULL)?$/.test(text)) return null
  if (/^(?:true|True|TRUE)$/.test(text)) return true
  if (/^(?:false|False|FALSE)$/.test(text)) return false
  if (/^(?:[-+]?\d+|0o[0-7]+|0x[\da-fA-F]+)$/.test(text)) return Number(text)
  if (/^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(text)) return Number(text)
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(text))
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  return /^\.(?:nan|NaN|NAN)$/.test(text) ? Number.NaN : text
}
