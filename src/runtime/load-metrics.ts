import { dirname } from 'node:path'
import { ownFile } from '../core/own-files.js'
import { loadPart } from '../hooks/parts.js'
import type * as MetricsPart from './metrics-part.cjs'

/** In a file of its own, since most threads measure nothing. */
export function loadMetrics(): typeof MetricsPart {
  const file = ownFile('metrics.cjs')
  return loadPart<typeof MetricsPart>(dirname(file), 'metrics.cjs')
}
