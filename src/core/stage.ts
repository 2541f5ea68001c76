import { shared } from './shared.js'

/** What the preload has put off until somebody needs it: nearly everything. `pools/handlers.cts` reads it too. */
const stage = shared('core.stage', () => ({ isTaken: false, begin: undefined as (() => void) | undefined }))

/** Whether this thread is for the caller to set up: for the first preload, where there are those of two installations. */
export function takeThread(): boolean {
  const isFree = !stage.isTaken
  stage.isTaken = true
  return isFree
}

/** Lets `begin` be called when a part of this package is asked for that works only in a thread that is set up; undefined once it is. */
export function putOff(begin: (() => void) | undefined): void {
  stage.begin = begin
}

/** To be called before what needs a thread that is set up: sets it up, where the preload has put that off. */
export function beginNow(): void {
  if (stage.begin !== undefined) stage.begin()
}
