/** What follows HTTP, which a thread loads with the first thing of it. Bundled into one CommonJS file. */
export { endAnswered } from './answered.js'
export { whenFrameworkLoads } from './frameworks/notice.js'
export { WEB } from './web.js'
