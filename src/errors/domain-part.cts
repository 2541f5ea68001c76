/** What threads load with the first transaction that is followed by domains. Bundled into one file. */
export { inDomain, spanOfExecution } from './domain.js'
