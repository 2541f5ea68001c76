/** What follows clients of queues, which a thread loads with the first of them. Bundled into one CommonJS file. */
export { MESSAGING as INSTRUMENTATIONS } from './messaging.js'
