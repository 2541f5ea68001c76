import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'

/** Descriptors for the end of a process that has taken all there are: to list a folder, to read a file, and to connect. */
const COUNT = 3

export class Reserve {
  private held: number[] = []

  /** Takes them, as far as there are any. */
  take(): void {
    try {
      while (this.held.length < COUNT) this.held.push(openSync(devNull, 'r'))
    } catch {
      // The end will have to do with less.
    }
  }

  /** They are free for whoever comes next. */
  release(): void {
    for (const descriptor of this.held.splice(0)) closeSync(descriptor)
  }
}
