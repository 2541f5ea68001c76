/** What follows remote procedure calls, which a thread loads with the first library of them. Bundled into one CommonJS file. */
export { RPC as INSTRUMENTATIONS } from './rpc.js'
