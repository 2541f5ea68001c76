export interface Losses {
  lost: number
  made: number
  causes: Record<string, number>
}

/** `N of M spans did not arrive: cause N, ...` in a log. */
export function lossesIn(stderr: string): Losses | undefined {
  const match = /(\d+) of (\d+) spans did not arrive: (.*) \(THREADSPAN_DROPPED\)/.exec(stderr)
  if (match === null) return undefined
  const causes = match[3]!.split(', ').map((text) => text.split(' ') as [string, string])
  return {
    lost: Number(match[1]),
    made: Number(match[2]),
    causes: Object.fromEntries(causes.map(([cause, count]) => [cause, Number(count)])),
  }
}
