import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

export const dist = resolve(process.env.THREADSPAN_DIST ?? 'dist')

/** A module of the built package. */
export const part = (file) => import(pathToFileURL(join(dist, file)).href)
