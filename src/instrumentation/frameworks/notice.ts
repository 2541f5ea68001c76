/** Notices frameworks on HTTP, without their code. */
import type { Disable } from '../../hooks/channels.js'
import { exportsOfLoaded } from '../../hooks/loaded-files.js'
import { whenLoads } from '../followed.js'
import { FRAMEWORK_FILES, FRAMEWORK_REQUESTS, NEXT_FILE, NEXT_REQUESTS } from '../libraries.js'

/** What they publish on. */
const CHANNELS = ['tracing:graphql:', 'tracing:h3.', 'tracing:srvx.']

/** Calls `then` once: when this thread loads a framework, now where it has loaded one. */
export function whenFrameworkLoads(then: () => void): Disable {
  let stop: Disable | undefined
  let isLoaded = false
  const once = (): void => {
    if (isLoaded) return
    isLoaded = true
    then()
    // What this is being told of, it tells the instrumentations.
    stop?.()
  }
  stop = whenLoads(
    [
      {
        files: FRAMEWORK_REQUESTS,
        folder: 'graphql',
        module: FRAMEWORK_FILES,
        channels: CHANNELS,
      },
      { files: NEXT_REQUESTS, folder: 'next' },
    ],
    once,
  )
  if ([FRAMEWORK_FILES, NEXT_FILE].some((file) => exportsOfLoaded(file).length > 0)) once()
  return stop
}
