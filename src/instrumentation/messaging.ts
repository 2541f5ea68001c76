import { amqplib } from './amqplib/index.js'
import { bullmq } from './bullmq/index.js'

import type { Instrumentation } from './contract.js'

/** Clients of queues. */
export const MESSAGING: readonly Instrumentation[] = [bullmq, amqplib]
