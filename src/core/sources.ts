import { shared } from './shared.js'

const state = shared('core.sources', () => ({
  isOff: false,
  toSources: undefined as ((stack: string) => string) | undefined,
}))

/** Lets stacks be told as they are, in this thread. */
export function leaveStacks(): void {
  state.isOff = true
}

/** A stack in the terms of the sources, by the source maps at hand; as it is where Node has done it. Never throws. */
export function inSources(stack: string): string {
  if (state.isOff || stack === '' || process.sourceMapsEnabled) return stack
  try {
    state.toSources ??= load()
    return state.toSources(stack)
  } catch {
    state.isOff = true
    return stack
  }
}

/** It is a file of its own, so that threads that never fail never parse it. Bundles are a folder above. */
function load(): (stack: string) => string {
  const { createRequire } = process.getBuiltinModule('node:module')
  const here = import.meta.url
  const file = /\/core\/sources\.js$/.test(here) ? './source-maps.cjs' : './core/source-maps.cjs'
  return (createRequire(here)(file) as { toSources(stack: string): string }).toSources
}
