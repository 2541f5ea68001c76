/** Resolves at the first SIGINT or SIGTERM. A second one has its usual effect, should what follows take too long. */
export function interrupted(): Promise<'interrupted'> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve('interrupted'))
    process.once('SIGTERM', () => resolve('interrupted'))
  })
}
