import { shared } from '../core/shared.js'

/** Of whichever part of this package: gRPC is HTTP/2 as well, and each call is told of once. */
const grpc = shared('instrumentation.grpc', () => ({ isFollowed: false }))

/** From now on, calls of gRPC are told of as such, or no longer. */
export function followsGrpc(isFollowed: boolean): void {
  grpc.isFollowed = isFollowed
}

/** Whether a request of HTTP/2 is a call of gRPC that is told of as such. */
export function isFollowedCall(contentType: unknown): boolean {
  return grpc.isFollowed && typeof contentType === 'string' && contentType.startsWith('application/grpc')
}
