/** What follows SQLite, which a thread loads with the first that runs it. Bundled into one CommonJS file. */
export { SQLITE as INSTRUMENTATIONS } from './sqlite/index.js'
