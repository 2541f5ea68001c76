import { CellReader } from '../metrics/cells.js'
import { CellLink } from './cells.js'
import type { LinkWriter } from './writer.js'

/** What a small descendant's main thread measures in, which it writes to its link itself. */
export interface OwnCells {
  add(index: number, block: SharedArrayBuffer): void
  write(writer: LinkWriter): void
}

export function ownCells(): OwnCells {
  const reader = new CellReader()
  const link = new CellLink()
  link.add(0, reader)
  return {
    add: (index, block) => reader.add(block, index),
    write(writer) {
      link.write(writer)
    },
  }
}
