import type { Subject } from './run.js'

/** Frameworks whose packages are among those of this one's tests. */
export const SUBJECTS: readonly Subject[] = [
  { name: 'Express 4.21', app: 'express', variant: 'express4' },
  { name: 'Express 5.1', app: 'express', variant: 'express' },
  { name: 'Express 5.3', app: 'express', variant: 'express-5.3' },
  { name: 'Fastify 4.29', app: 'fastify', variant: 'fastify-4' },
  { name: 'Fastify 5.12', app: 'fastify', variant: 'fastify' },
  { name: 'Koa 2.16', app: 'koa', variant: 'koa-2+koa-router-12' },
  { name: 'Koa 3.3', app: 'koa', variant: 'koa+@koa/router' },
  { name: 'hapi 21.4', app: 'hapi', variant: '@hapi/hapi', parameters: '{}' },
  { name: 'Hono 4.0', app: 'hono', variant: 'hono-4.0' },
  { name: 'Hono 4.13', app: 'hono', variant: 'hono' },
  { name: 'NestJS 12.5, Express', app: 'nestjs', variant: 'express' },
  { name: 'NestJS 12.5, Fastify', app: 'nestjs', variant: 'fastify' },
  { name: 'h3 1.15', app: 'h3', variant: '1', aliases: { h3: 'node_modules/h3-1' } },
  { name: 'h3 2.0', app: 'h3', variant: '2' },
]
