import type { IncomingMessage } from 'node:http'
import { isDeactivated } from '../config/live.js'
import { guard } from '../hooks/channels.js'
import { type Method, patchMethod, prototypeOf } from '../hooks/patch-method.js'
import type { Instrumentation } from './contract.js'
import { frameworkOf } from './frameworks/libraries.js'
import { onExports } from './frameworks/loads.js'
import { noteThrown, requestOf } from './frameworks/requests.js'

/** NestJS's `ArgumentsHost`. */
interface Host {
  getType?(): unknown
  getArgByIndex?(index: number): unknown
}

let isOn = false

/**
 * NestJS: what a handler, guard, pipe or interceptor fails with is kept for the answer, before any exception filter sees it. Routes are those of
 * Express or Fastify, which it is made on.
 */
export const nestjs: Instrumentation = {
  name: 'nestjs-core',
  versions: '11, 12',
  enable() {
    isOn = true
    const forget = onExports(frameworkOf('nestjs-core'), (exports) => {
      const prototype = prototypeOf((exports as { ExceptionsHandler?: unknown }).ExceptionsHandler)
      if (prototype !== undefined) patchMethod(prototype, 'next', handing, 'spans')
    })
    return () => {
      isOn = false
      forget()
    }
  },
}

/** `ExceptionsHandler.prototype.next(exception, host)`. */
function handing(original: Method): Method {
  return function (...args) {
    if (isOn && !isDeactivated('nestjs-core')) failed(args[0], args[1] as Host)
    return original.apply(this, args)
  }
}

const failed = guard('nestjs error', (error: unknown, host: Host) => {
  if (host.getType?.() !== 'http') return
  const request = host.getArgByIndex?.(0) as { readonly raw?: IncomingMessage } | undefined
  noteThrown(requestOf(request?.raw ?? request), error)
})
