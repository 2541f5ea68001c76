import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { ViewerEnd, ViewerPlace } from './viewer-worker.js'

/** A viewer in a thread of its own. */
export interface ViewerThread extends ViewerPlace {
  /** Ends it. May be called again. */
  close(): Promise<void>
}

/**
 * Starts a viewer on a free port in a thread of its own, so that nothing which is sent to it can hold up or end the program that its
 * maker runs and whose spans it follows.
 *
 * @param tell Is given one line if it fails later.
 * @throws Error what `startViewer` throws.
 */
export async function startViewerThread(tell: (line: string) => void): Promise<ViewerThread> {
  const worker = new Worker(new URL('viewer-worker.js', import.meta.url), { name: 'threadspan viewer' })
  const [place] = (await once(worker, 'message')) as [ViewerPlace]
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  worker.on('error', (error: Error) => {
    tell(`threadspan: the viewer has failed: ${error.message} (THREADSPAN_VIEWER_FAILED)`)
  })
  return {
    ...place,
    close() {
      worker.postMessage('close' satisfies ViewerEnd)
      return ended
    },
  }
}
