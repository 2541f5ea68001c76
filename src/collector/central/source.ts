import type { Settings } from '../../config/live.js'

/** What a look at a server has come to. */
export type Look =
  /** Nothing has changed. */
  | { readonly kind: 'same' }
  /** Other settings: JSON, or undefined where the server has none any more. */
  | { readonly kind: 'other'; readonly text: string | undefined }
  /** There is no telling what the server wants. */
  | { readonly kind: 'failed'; readonly why: string }

/** What has become of the settings that came last. */
export interface Outcome {
  /** One line; undefined where all of them hold. */
  readonly problem: string | undefined
  /** All that holds now, the environment's among it, by name. */
  readonly effective: Settings
}

/** A server of central configuration, by the way in which it is asked. */
export interface Source {
  /** It never rejects. */
  look(): Promise<Look>
  /** Milliseconds until the next look. */
  readonly interval: number
  /** Tells the server, where there is a way to. */
  tell(outcome: Outcome): void
  /** Whether there is something to tell that the next look cannot wait for. */
  readonly isDue: boolean
  /** Takes leave. @param deadline Milliseconds of `monotonicNow`. */
  close(deadline: number): Promise<void>
}
