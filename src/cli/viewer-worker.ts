/** The viewer's own thread; see `viewer-thread.ts`. */
import { parentPort } from 'node:worker_threads'
import { startViewer } from '../viewer/server.js'

/** What its maker is told when it listens. */
export interface ViewerPlace {
  /** Where the page is. */
  readonly url: string
  /** Where OTLP/HTTP is received. */
  readonly endpoint: string
}

/** What its maker says at the end. */
export type ViewerEnd = 'close'

const viewer = await startViewer({ port: 0 })
parentPort!.once('message', (_end: ViewerEnd) => {
  void viewer.close()
})
parentPort!.postMessage({ url: viewer.url, endpoint: viewer.endpoint } satisfies ViewerPlace)
