/** What follows clients of databases, which a thread loads with the first of them. Bundled into one CommonJS file. */
export { DATABASES as INSTRUMENTATIONS } from './databases.js'
