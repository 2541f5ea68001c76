import { onLoads } from '../../hooks/module-loads.js'
import type { Instrumentation } from '../contract.js'
import { mysql2ContextLoads } from './context.js'
import { traceMysql2 } from './spans.js'

export const mysql2: Instrumentation = {
  name: 'mysql2',
  versions: '3',
  enable: traceMysql2,
  follow: () => onLoads(new Map(mysql2ContextLoads)),
}
