import { onLoads } from '../../hooks/module-loads.js'
import type { Instrumentation } from '../contract.js'
import { pgContextLoads } from './context.js'
import { tracePg } from './spans.js'

export const pg: Instrumentation = {
  name: 'pg',
  versions: '8',
  enable: tracePg,
  follow: () => onLoads(new Map(pgContextLoads)),
}
