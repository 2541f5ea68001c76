import { LinkWriter } from '../link.js'
import type { ThreadEntry } from '../messages.js'
import type { SlottedSpan } from '../reader.js'
import type { Accounts, Destination, ThreadTarget } from './destination.js'

/** Hands spans on to the process that exports, through files in its folder. */
export class LinkDestination implements Destination {
  private readonly writers = new Set<LinkWriter>()
  private written = 0
  private failed = 0

  constructor(
    private readonly folder: string,
    /** This process's encoded Resource. */
    private readonly resource: Uint8Array,
  ) {}

  thread(entry: ThreadEntry): ThreadTarget {
    // A stream begins anew with each collector: scopes that an earlier reader saw are announced again.
    const name = `${entry.thread}${entry.scopes === undefined ? '' : '-b'}`
    let writer: LinkWriter | undefined
    try {
      writer = new LinkWriter(this.folder, name, this.resource)
      this.writers.add(writer)
      for (const [id, { encoded, schemaUrl }] of entry.scopes ?? []) writer.scope(id, encoded, schemaUrl)
    } catch {
      writer = undefined
    }
    return this.target(writer)
  }

  private target(writer: LinkWriter | undefined): ThreadTarget {
    const announced: number[] = []
    return {
      scope: (id, encoded, schemaUrl) => writer?.scope(id, encoded, schemaUrl),
      spans: (scope, bytes, count) => {
        if (writer === undefined) this.failed += count
        else {
          writer.spans(scope, bytes, count)
          this.written += count
        }
      },
      open(spans: Iterable<SlottedSpan>) {
        for (const span of spans) {
          if (announced[span.slot] === span.mark) continue
          announced[span.slot] = span.mark
          writer?.opened(span)
        }
      },
      end: () => {
        if (writer === undefined) return
        this.write(writer)
        writer.close()
        this.writers.delete(writer)
      },
    }
  }

  private write(writer: LinkWriter): void {
    try {
      writer.flush()
    } catch {
      // The folder's owner is gone or its disk is full; the application must not notice.
      this.writers.delete(writer)
    }
  }

  readonly due = Number.POSITIVE_INFINITY

  settle(): void {
    for (const writer of this.writers) this.write(writer)
  }

  async flush(): Promise<void> {
    this.settle()
  }

  get accounts(): Accounts {
    return {
      delivered: this.written,
      dropped: this.failed > 0 ? new Map([['link', this.failed]]) : new Map(),
    }
  }
}
