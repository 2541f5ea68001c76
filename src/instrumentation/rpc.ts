import type { Instrumentation } from './contract.js'
import { grpc } from './grpc/index.js'

/** Libraries of remote procedure calls. */
export const RPC: readonly Instrumentation[] = [grpc]
