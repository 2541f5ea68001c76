import type { Tracer } from '@opentelemetry/api'
import type { Disable } from '../../hooks/channels.js'
import { type Loaded, type OnLoad, onLoads } from '../../hooks/module-loads.js'
import { type Method, patchMethod, prototypeOf } from '../../hooks/patch-method.js'
import type { Instrumentation } from '../contract.js'
import { followsGrpc } from '../grpc-calls.js'
import { inFolder } from '../libraries.js'
import { callingClient } from './client.js'
import { calledServer, registering } from './server.js'
import { current } from './tracer.js'

/**
 * gRPC: a CLIENT span of each call that is made, until its status is there, and a transaction of each that a server handles. All four kinds of
 * calls go through the two functions that put interceptors around a call.
 */
export const grpc: Instrumentation = { name: 'grpc', versions: '1.10 and later of 1', enable }

const FILE = inFolder('grpc-js')
/** Its own files ask for these; which of them it is loaded with first, `LIBRARIES` says. */
const FILES = ['./client-interceptors', './server-interceptors', './server']

/** Functions that the library's files ask each other for by name. */
const FUNCTIONS: Readonly<Record<string, (original: Method) => Method>> = {
  getInterceptingCall: callingClient,
  getServerInterceptingCall: calledServer,
}

function enable(by: Tracer): Disable {
  current.tracer = by
  followsGrpc(true)
  const forget = onLoads(new Map<string, OnLoad>(FILES.map((request) => [request, patch])))
  return () => {
    current.tracer = undefined
    followsGrpc(false)
    forget()
  }
}

function patch({ exports, parent }: Loaded): undefined {
  if (!FILE.test(parent) || typeof exports !== 'object' || exports === null) return
  for (const [name, make] of Object.entries(FUNCTIONS)) patchMethod(exports, name, make, 'spans')
  const server = prototypeOf((exports as { Server?: unknown }).Server)
  if (server !== undefined) patchMethod(server, 'register', registering, 'spans')
}
