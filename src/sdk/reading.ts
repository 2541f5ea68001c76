/** What makes an SDK's spans of OTLP. Few processes have a use for it, and none before an SDK is there. */
export { decodeTraces } from '../otlp/decode.js'
export { attributesOf, readableScope, readableSpan } from './readable-span.js'
export { DescendantResource, difference } from './resource.js'

/** As it is handed to whom needs it. */
export type Reading = typeof import('./reading.js')
