import type { Instrumentation } from './contract.js'
import { graphql } from './graphql.js'
import { h3 } from './h3.js'
import { hono } from './hono.js'
import { nestjs } from './nestjs.js'
import { next } from './next.js'
import { trpc } from './trpc.js'

/** Frameworks on HTTP that are no matter of the part that follows it. */
export const ON_HTTP: readonly Instrumentation[] = [hono, nestjs, h3, graphql, trpc, next]
