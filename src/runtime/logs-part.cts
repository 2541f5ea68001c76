/** What logs, in a file of its own, since most threads log nothing through it. */
export { followConsole, followLoggers } from '../instrumentation/loggers/index.js'
export { ThreadLogging } from '../logs/thread.js'
export { yieldLogsApi } from '../sdk/logs-api.js'
