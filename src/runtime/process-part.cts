/** What only a main thread needs. Bundled into one CommonJS file for the preload, whose Workers do without. */
export { joinSdk } from '../sdk/join.js'
export { measureInProcess } from './measure-in-process.js'
export { ProcessRelay } from './process-relay.js'
export { startRun } from './run-transaction.js'
