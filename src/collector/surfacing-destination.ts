import type { ThreadEntry } from '../link/messages.js'
import type { CellSource } from '../metrics/cells.js'
import type { MergedMetrics, MergedSource } from '../metrics/merged.js'
import type { Accounts } from '../ring/accounts.js'
import type { Signal } from '../ring/reader.js'
import type { Destination, ThreadTarget } from './destination.js'
import type { Surfacing } from './surfacing.js'

/** A destination, and what is handed to surfacers on the way to it. */
export class SurfacingDestination implements Destination {
  /** @param close What comes to its end beside them. Takes a deadline in milliseconds of `monotonicNow`. */
  constructor(
    private readonly inner: Destination,
    private readonly surfacing: Surfacing,
    private readonly close?: (deadline: number) => Promise<void>,
  ) {}

  private target(target: ThreadTarget): ThreadTarget {
    return {
      ...target,
      spans: (scope, bytes, count, settled) => {
        this.surfacing.spans(bytes)
        target.spans(scope, bytes, count, settled)
      },
      measured: (body) => this.surfacing.measured(body),
    }
  }

  thread(entry: ThreadEntry): ThreadTarget {
    return this.target(this.inner.thread(entry))
  }

  process(resource: Uint8Array): ThreadTarget {
    return this.target(this.inner.process(resource))
  }

  expectDescendants(): void {
    this.surfacing.expectDescendants()
  }

  measure(thread: number, source: CellSource): MergedSource {
    return this.inner.measure(thread, source)
  }

  measures(resource: Uint8Array): Pick<MergedMetrics, 'add'> | undefined {
    return this.inner.measures(resource)
  }

  lost(cause: string, count: number, signal: Signal): void {
    this.inner.lost(cause, count, signal)
  }

  get inherited(): string | undefined {
    return this.inner.inherited
  }

  settle(): void {
    this.inner.settle()
    this.surfacing.settle()
  }

  get due(): number {
    return Math.min(this.inner.due, this.surfacing.due)
  }

  get pace(): number {
    return this.inner.pace
  }

  async flush(deadline: number, final: boolean): Promise<void> {
    if (!final) {
      this.surfacing.settle(true)
      return this.inner.flush(deadline, false)
    }
    await Promise.all([
      this.inner.flush(deadline, true),
      this.surfacing.close(deadline),
      this.close?.(deadline),
    ])
  }

  get accounts(): Accounts | undefined {
    return this.inner.accounts
  }
}
