/** What threads load where settings can change while they run. Bundled into one file. */
export { followSettings } from './live-settings.js'
