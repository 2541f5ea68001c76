/** See `exceptions/exception.ts`: a file of its own, which threads that never fail do not load. */
export * from './describe.js'
