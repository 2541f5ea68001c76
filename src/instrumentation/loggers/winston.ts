import { count } from '../../core/counters.js'
import type { Disable } from '../../hooks/channels.js'
import { exportsOfLoaded } from '../../hooks/loaded-files.js'
import { onLoads } from '../../hooks/module-loads.js'
import { type Method, patchMethod, prototypeOf } from '../../hooks/patch-method.js'
import { ID_FIELDS } from '../../logs/id-fields.js'
import { plainFields, plainValue } from '../../logs/plain-value.js'
import { severityOfName } from '../../logs/severity.js'
import { jsonShows } from '../../logs/shown.js'
import type { LoggerScope, LogTarget } from '../../logs/target.js'
import { filesOf, inFolder } from '../libraries.js'
import type { LoggerBridge } from './contract.js'

/** A line on its way through a logger. */
type Info = Record<string | symbol, unknown>

interface WinstonLogger {
  readonly silent?: boolean
  isLevelEnabled?(level: string): boolean
}

/** Keys of winston's, the same for each copy of it (`triple-beam`). */
const LEVEL = Symbol.for('level')
const SPLAT = Symbol.for('splat')
const MESSAGE = Symbol.for('message')

const FILE = /[\\/]winston[\\/]lib[\\/]winston[\\/]logger\.js$/
const FOLDER = inFolder('winston')

/** Fields that the record says in another place. */
const TOLD: ReadonlySet<string> = new Set(['level', 'message', 'timestamp', ...ID_FIELDS])
const SCOPE: LoggerScope = { name: 'winston' }

let target: LogTarget | undefined

/**
 * winston: the ids are put into a line before its logger's formats see it, in a copy, so that nothing of the application's changes; the record
 * is made of what the formats leave, so that what they take out is told to nobody.
 */
export const winston: LoggerBridge = {
  name: 'winston',
  versions: '3',
  enable(given): Disable {
    target = given
    for (const exports of exportsOfLoaded(FILE)) patch(exports)
    const forget = onLoads(
      new Map(
        filesOf('winston').map((request) => [
          request,
          ({ exports, parent }) => {
            if (FOLDER.test(parent)) patch(exports)
          },
        ]),
      ),
    )
    return () => {
      target = undefined
      forget()
    }
  },
}

function patch(exports: unknown): void {
  const prototype = prototypeOf(exports)
  if (
    prototype === undefined ||
    typeof (prototype as { isLevelEnabled?: unknown }).isLevelEnabled !== 'function'
  )
    return
  patchMethod(prototype, '_transform', transforming, 'logs')
  if (!Object.hasOwn(prototype, 'push')) {
    const push = (prototype as { push?: unknown }).push as Method
    const value = function (this: unknown, ...args: unknown[]): unknown {
      if (target !== undefined && typeof args[0] === 'object' && args[0] !== null)
        hand(this as WinstonLogger, args[0] as Info)
      return push.apply(this, args)
    }
    Object.defineProperty(prototype, 'push', { value, writable: true, configurable: true })
  }
}

/** The error of the line whose formats are at work. */
let current: unknown

function transforming(original: Method): Method {
  return function (...args) {
    const [info] = args
    if (target === undefined || typeof info !== 'object' || info === null) return original.apply(this, args)
    const before = current
    current = undefined
    let undo: (() => void) | undefined
    try {
      current = errorOf(info as Info)
      undo = addFields(target, args)
    } catch {
      // A getter of the application's, or a proxy.
      count('log.value')
    }
    try {
      return original.apply(this, args)
    } finally {
      undo?.()
      current = before
    }
  }
}

/** Puts the ids into the line. @returns what takes them out of an object that cannot be copied. */
function addFields(to: LogTarget, args: unknown[]): (() => void) | undefined {
  if (!to.addsFields) return undefined
  const ids = to.active()
  if (ids === undefined) return undefined
  const info = args[0] as Info
  const fields = to.fieldsOf(ids).filter(([name]) => !(name in info))
  // Of an error, or an object with private fields, a copy would not be what it is.
  const prototype: unknown = Object.getPrototypeOf(info)
  if (prototype !== Object.prototype && prototype !== null) {
    if (!Object.isExtensible(info)) return undefined
    for (const [name, value] of fields) info[name] = value
    return () => {
      for (const [name] of fields) delete info[name]
    }
  }
  const copy = Object.assign(Object.create(prototype), info) as Info
  for (const [name, value] of fields) copy[name] = value
  args[0] = copy
  return undefined
}

function errorOf(info: Info): unknown {
  if (info instanceof Error) return info
  const splat = info[SPLAT]
  const candidates = [...(Array.isArray(splat) ? splat : []), info['error'], info['err'], info['message']]
  return candidates.find((candidate) => candidate instanceof Error)
}

function hand(logger: WinstonLogger, info: Info): void {
  const to = target
  const level = info[LEVEL]
  if (to?.takesRecords !== true || typeof level !== 'string' || logger.silent === true) return
  try {
    if (logger.isLevelEnabled?.(level) === false) return
    const error = current
    const attributes = plainFields(
      info,
      (key) => TOLD.has(key) || (error !== undefined && (key === 'stack' || info[key] === error)),
    )
    const body = plainValue(info['message'], Number.POSITIVE_INFINITY) ?? null
    to.record(
      SCOPE,
      { severity: severityOfName(level), level, body, attributes, error, shows: showsOf(info, error) },
      to.active(),
    )
  } catch {
    // A getter of the application's.
    count('log.record')
  }
}

/** Whether what the formats have left has a text of the error; undefined where it has the error itself. */
function showsOf(info: Info, error: unknown): ((text: string) => boolean) | undefined {
  const values = Object.values(info)
  if (error === undefined || info === error || values.includes(error)) return undefined
  const texts = [...values, info[MESSAGE]].filter((value) => typeof value === 'string')
  return (text) => texts.some((value) => value.includes(text) || jsonShows(value)(text))
}
