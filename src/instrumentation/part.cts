/** The instrumentations, which a thread loads with the first thing that they follow. Bundled into one CommonJS file. */
export { endAnswered } from './answered.js'
export { enableInstrumentations, followSharedConnections } from './index.js'
