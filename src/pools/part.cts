/** The adapters of pools, which a thread loads with the first library that they follow. Bundled into one CommonJS file. */
export { followPools } from './follow.js'
