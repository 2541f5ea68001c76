import { count } from '../../core/counters.js'
import type { Disable } from '../../hooks/channels.js'
import { exportsOfLoaded } from '../../hooks/loaded-files.js'
import { afterLoad, onAnyLoad } from '../../hooks/module-loads.js'
import { type Method, patchMethod, prototypeOf } from '../../hooks/patch-method.js'
import { ID_FIELDS } from '../../logs/id-fields.js'
import { plainFields, plainValue } from '../../logs/plain-value.js'
import { severityOfNumber } from '../../logs/severity.js'
import type { LoggerScope, LogTarget } from '../../logs/target.js'
import type { Attributes } from '../../otlp/types.js'
import { filesOf } from '../libraries.js'
import type { LoggerBridge } from './contract.js'

type Rec = Record<string, unknown>

const FILE = /[\\/]bunyan[\\/]lib[\\/]bunyan\.js$/

const NAMES: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}
/** Files that bunyan loads while it is loaded, at most. */
const MOST_LOADS = 1000
/** Fields that the record or its resource says in another place. */
const TOLD: ReadonlySet<string> = new Set(['level', 'msg', 'time', 'v', 'pid', 'hostname', ...ID_FIELDS])
const SCOPE: LoggerScope = { name: 'bunyan' }

let target: LogTarget | undefined

/** bunyan makes an object of each line and hands it to its streams: the ids are put into that object, and the record is made of it. */
export const bunyan: LoggerBridge = {
  name: 'bunyan',
  versions: '1.8, 2',
  enable(given): Disable {
    target = given
    const patchLoaded = (): boolean => {
      const loaded = exportsOfLoaded(FILE)
      loaded.forEach(patch)
      return loaded.every((exports) => typeof exports === 'function')
    }
    // What it asks for asks for others, which end before it does.
    const patchOnceLoaded = (left: number): void =>
      afterLoad(() => {
        if (!patchLoaded() && left > 0) patchOnceLoaded(left - 1)
      })
    patchLoaded()
    // It is a single file, which is found once it has run: by who asks for it, or by what it asks for.
    const forget = onAnyLoad(filesOf('bunyan'), (_request, _exports, parent) => {
      if (FILE.test(parent?.filename ?? '')) patchOnceLoaded(MOST_LOADS)
      else patchLoaded()
    })
    return () => {
      target = undefined
      forget()
    }
  },
}

function patch(exports: unknown): void {
  const prototype = prototypeOf(exports)
  if (prototype !== undefined) patchMethod(prototype, '_emit', emitting, 'logs')
}

/** `_emit(rec, noemit)` makes the line, and writes it unless it was only asked for the text. */
function emitting(original: Method): Method {
  return function (...args) {
    const [rec, isText] = args
    if (target !== undefined && typeof rec === 'object' && rec !== null) {
      try {
        hand(target, rec as Rec, isText === true)
      } catch {
        // A getter of the application's.
        count('log.record')
      }
    }
    return original.apply(this, args)
  }
}

function hand(to: LogTarget, rec: Rec, isText: boolean): void {
  const ids = to.active()
  if (ids !== undefined && to.addsFields) {
    for (const [name, value] of to.fieldsOf(ids)) if (!(name in rec)) rec[name] = value
  }
  if (isText || !to.takesRecords) return
  const level = Number(rec['level'])
  const { err, ...attributes } = plainFields(rec, (key) => TOLD.has(key))
  if (isError(err)) addError(attributes, err)
  else if (err !== undefined) attributes['err'] = err
  const body = plainValue(rec['msg'], Number.POSITIVE_INFINITY) ?? null
  const record = { severity: severityOfNumber(level), level: NAMES[level] ?? '', body, attributes }
  to.record(SCOPE, record, ids)
}

function isError(value: unknown): value is { readonly message: string; readonly [key: string]: unknown } {
  return typeof (value as { message?: unknown } | null)?.message === 'string'
}

/** What bunyan's serializer makes of an error. */
function addError(attributes: Attributes, { name, message, stack }: Readonly<Record<string, unknown>>): void {
  if (typeof name === 'string') attributes['exception.type'] = name
  attributes['exception.message'] = message as string
  if (typeof stack === 'string') attributes['exception.stacktrace'] = stack
}
