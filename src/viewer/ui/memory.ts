/** What the page remembers in this browser. Where storage is forbidden, it remembers nothing. */
export function recall(key: string): string | null {
  try {
    return localStorage.getItem(`threadspan.${key}`)
  } catch {
    return null
  }
}

/** Stores a preference. */
export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`threadspan.${key}`, value)
  } catch {
    // A private window: the choice holds as long as the page.
  }
}
