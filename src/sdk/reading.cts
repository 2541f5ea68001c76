/** See `sdk/reading.ts`: a file of its own, which threads and processes that hand nothing to an SDK do not load. */
export * from './reading.js'
