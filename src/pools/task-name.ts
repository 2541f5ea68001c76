/** Characters of a task's name. */
const MOST = 100

/** What a task is called that runs a method or function by this name; of few different values, and short. */
export function taskName(name: unknown): string {
  return typeof name === 'string' && name !== '' ? name.slice(0, MOST) : 'task'
}
