/** Elements of a list that is taken for a text. */
const MOST_JOINED = 1000

/** What was meant to be a string, as one: an object without `toString` must not throw into the application. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  try {
    // A list may say that it has billions of elements, and would be gone through.
    return Array.isArray(value) && value.length > MOST_JOINED ? 'list' : String(value)
  } catch {
    return typeof value
  }
}
