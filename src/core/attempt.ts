import { count } from './counters.js'

/** What `read` gives; undefined, and counted, where it throws: what an application hands over may be anything. */
export function attempt<T>(read: () => T, counter: string): T | undefined {
  try {
    return read()
  } catch {
    count(counter)
    return undefined
  }
}
