const two = (value: number): string => String(value).padStart(2, '0')
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** The local time of an instant, with the date when it is not today's: `14:05:09`, `27 Nov 14:05:09`, `27 Nov 2025 14:05:09`. */
export function clock(time: number): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return '–'
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  const now = new Date()
  if (date.toDateString() === now.toDateString()) return clock
  const year = date.getFullYear() === now.getFullYear() ? '' : ` ${date.getFullYear()}`
  return `${day(date)}${year} ${clock}`
}

/** `27 Nov`. */
export function day(date: Date): string {
  return `${date.getDate()} ${MONTHS[date.getMonth()]}`
}

/** The local time of a mark on an axis, as exact as the distance between marks asks for; both in seconds. */
export function clockAt(mark: number, step: number): string {
  const date = new Date(mark * 1000)
  if (step >= 86_400) return day(date)
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`
  // Midnight is where a day begins: its mark says which.
  if (step >= 60) return time === '00:00' ? day(date) : time
  const seconds = `${time}:${two(date.getSeconds())}`
  if (step >= 1) return seconds
  // As many places as the step has: 0.25 needs two, and all marks of an axis have the same.
  let places = 1
  while (places < 3 && Math.abs(step * 10 ** places - Math.round(step * 10 ** places)) > 1e-6) places++
  return `${seconds}.${String(date.getMilliseconds()).padStart(3, '0').slice(0, places)}`
}
