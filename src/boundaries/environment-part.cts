/** What a child of a followed process needs before its program, and no other thread. Bundled into one CommonJS file. */
export { restoreEnvironment } from './restored-environment.js'
