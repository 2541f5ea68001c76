import { ownFile } from '../core/own-files.js'
import { shared } from '../core/shared.js'
import { messageOf, typeNameOf } from './error-class.js'
import { redactText } from './redact-text.js'

/** What an error is described by: the attributes of an `exception` event. */
export interface ExceptionAttributes extends Record<string, string> {
  'exception.type': string
  'exception.message': string
}

type Describing = typeof import('./describe.js')

const state = shared('exceptions.describing', () => ({ loaded: undefined as Describing | undefined }))

/** It is a file of its own, so that threads that never fail never parse it. */
function describing(): Describing {
  if (state.loaded === undefined) {
    const { createRequire } = process.getBuiltinModule('node:module')
    const file = ownFile('describing.cjs')
    state.loaded = createRequire(file)(file) as Describing
  }
  return state.loaded
}

/**
 * Describes whatever was thrown or rejected with, by the attributes of OpenTelemetry's semantic conventions for exceptions, and ours:
 *
 * - `exception.type`: the name of its class; `exception.message`; `exception.stacktrace`: its stack, then those of its causes and of the
 *   errors of an AggregateError, as `Caused by: …` and `Error 1 of 2: …`.
 * - `threadspan.error.code`; `threadspan.error.fields`: JSON of its own fields, simple values alone, bounded, and without what looks
 *   like a secret; `threadspan.error.culprit`: the application's innermost frame; `threadspan.error.fingerprint`: what groups it.
 *
 * Stacks tell of the sources, where source maps are at hand. Never throws, whatever getters do.
 */
export function describeException(error: unknown): ExceptionAttributes {
  try {
    return describing().describeException(error)
  } catch {
    // Not to be read, or no stack left.
    return { 'exception.type': typeNameOf(error), 'exception.message': redactText(messageOf(error)) }
  }
}

/**
 * A description that came from another thread, with those that wait for it here.
 *
 * @param told what {@link describeException} gave there, or anything.
 * @param awaiting lines of a stack.
 * @param label what these are.
 * @returns undefined where `told` is no description.
 */
export function describeCrossed(
  told: unknown,
  awaiting: string | undefined,
  label = 'Awaited by',
): ExceptionAttributes | undefined {
  try {
    return describing().describeCrossed(told, awaiting, label)
  } catch {
    return undefined
  }
}
