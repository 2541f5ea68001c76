/** What is said when nobody else has said it. In a file of its own, since every process would parse it for the few that end so. */
export { tellUnheard } from './unheard.js'
