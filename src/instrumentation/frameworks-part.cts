/** What follows frameworks on HTTP, which a thread loads with the first of them. Bundled into one CommonJS file. */
export { ON_HTTP } from './frameworks.js'
