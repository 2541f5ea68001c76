/**
 * What the telemetry thread runs first: whether it is wanted at all. A program that ends at once delivers by itself while this thread starts,
 * and would wait at its end for what the thread has begun to compile.
 */
import { workerData } from 'node:worker_threads'
import { isWanted } from '../collector/begin.js'
import type { CollectorStart } from '../link/messages.js'

if (isWanted(new Int32Array((workerData as CollectorStart).control))) require('./telemetry.cjs')
