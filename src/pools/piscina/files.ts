/** Words by which Piscina's files ask for those that are followed. */
export const PISCINA_FILES: readonly string[] = ['./worker_pool', './index']

/** Whether a file that was asked for by them can be Piscina's. */
export function isPiscinaFile(exports: unknown): boolean {
  return ['WorkerInfo', 'Piscina'].some((name) => ownExport(exports, name) !== undefined)
}

/**
 * An own export, if there is one. A module that is still being loaded warns when it is asked for an export that it does not
 * have, so nothing else may be asked.
 */
export function ownExport(exports: unknown, name: string): unknown {
  if (typeof exports !== 'object' || exports === null || !Object.hasOwn(exports, name)) return undefined
  return (exports as Record<string, unknown>)[name]
}
