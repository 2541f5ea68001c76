/** Frameworks on HTTP that are followed, as plain data. That a thread loads one, `notice.ts` notices. */
import { NEXT_FILE, NEXT_REQUESTS, type Noticed } from '../libraries.js'

/** A framework on HTTP. */
export interface Framework extends Noticed {
  readonly name: string
  readonly files: readonly string[]
  /** Matches paths and URLs of its files that are followed. */
  readonly module: RegExp
}

export const FRAMEWORKS = [
  {
    name: 'hono',
    files: ['./router/smart-router/router.js', '../router/smart-router/router.js', './router.js', './router'],
    folder: 'hono',
    module: /[\\/]hono[^\\/]*[\\/]dist[\\/](?:cjs[\\/])?router[\\/][\w-]+[\\/]router\.js$/,
  },
  {
    name: 'nestjs-core',
    files: ['../exceptions/exceptions-handler'],
    folder: 'core',
    module: /[\\/]core[\\/]exceptions[\\/]exceptions-handler\.js$/,
  },
  {
    name: 'h3',
    files: ['h3'],
    module: /[\\/]h3[^\\/]*[\\/]dist[\\/](?:index\.[cm]js|_entries[\\/]node\.mjs)$/,
  },
  {
    name: 'graphql',
    files: ['./execute.js', './execution/execute.js'],
    folder: 'graphql',
    module: /[\\/]graphql[^\\/]*[\\/]execution[\\/]execute\.m?js$/,
  },
  {
    name: 'trpc',
    files: [
      '@trpc/server/adapters/express',
      '@trpc/server/adapters/fastify',
      '@trpc/server/adapters/fetch',
      '@trpc/server/adapters/next',
      '@trpc/server/adapters/standalone',
    ],
    module: /[\\/]@trpc[\\/]server[\\/]dist[\\/]adapters[\\/].+\.[cm]?js$/,
  },
  { name: 'next', files: NEXT_REQUESTS, folder: 'next', module: NEXT_FILE },
] as const satisfies readonly Framework[]

export type FrameworkName = (typeof FRAMEWORKS)[number]['name']

/** A framework of the list. */
export function frameworkOf(name: FrameworkName): Framework {
  return FRAMEWORKS.find((framework) => framework.name === name)!
}
