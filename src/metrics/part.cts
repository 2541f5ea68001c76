export { measureHere } from './measure.js'
