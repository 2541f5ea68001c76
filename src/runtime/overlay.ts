/** What a configuration file has come to in this thread; the code for it is loaded where there is one. */
import { dirname } from 'node:path'
import { configFileOf } from '../config/file/config-file-of.js'
import type { Overlay } from '../config/file/resolve.js'
import { ownFile } from '../core/own-files.js'
import { shared } from '../core/shared.js'
import { loadPart } from '../hooks/parts.js'
import type * as ConfiguredPart from './configured-part.cjs'

export { configFileOf }

/** What takes the place of variables; undefined where there is no file. */
export const overlays = shared('runtime.overlay', () => ({ current: undefined as Overlay | undefined }))

/** For who has a file. */
export function configuredPart(): typeof ConfiguredPart {
  const file = ownFile('configured.cjs')
  return loadPart<typeof ConfiguredPart>(dirname(file), 'configured.cjs')
}
