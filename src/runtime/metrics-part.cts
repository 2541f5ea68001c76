export { ownCells } from '../link/own-cells.js'
export { ThreadMeasuring } from '../metrics/thread.js'
