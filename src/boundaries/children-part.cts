/** What threads load that can start processes. */
export { followChildren } from './child-process.js'
