/** How many times the usual distance between its values a line may run without one before it breaks. */
const PATIENCE = 2.5

/**
 * Several lines over one axis of time: most have no value at the times of the others. What is only such a time becomes
 * undefined, which a chart draws through; null stays where a line has been silent for longer than it usually is.
 * @param times ascending, in any unit
 */
export function closeGaps(
  times: readonly number[],
  values: readonly (number | null)[],
): (number | null | undefined)[] {
  const known: number[] = []
  for (const [i, value] of values.entries()) if (value !== null) known.push(i)
  const distances = known.slice(1).map((at, i) => times[at]! - times[known[i]!]!)
  const usual = distances.toSorted((a, b) => a - b)[distances.length >> 1] ?? 0
  const out: (number | null | undefined)[] = [...values]
  for (const [i, distance] of distances.entries()) {
    if (distance <= usual * PATIENCE) out.fill(undefined, known[i]! + 1, known[i + 1]!)
  }
  return out
}
