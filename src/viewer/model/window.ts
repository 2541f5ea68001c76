/** The part of a trace's time that is in view, milliseconds relative to its origin. `from` is before `to`. */
export interface Window {
  readonly from: number
  readonly to: number
}

/** The narrowest window that zooming gives: ten nanoseconds, below which doubles have nothing to tell. */
const NARROWEST = 1e-5

/** Moves and narrows a window so that it lies within the bounds and is not too narrow. */
export function clampWindow(window: Window, bounds: Window): Window {
  const whole = Math.max(bounds.to - bounds.from, NARROWEST)
  const width = Math.min(whole, Math.max(NARROWEST, window.to - window.from))
  if (!Number.isFinite(width) || !Number.isFinite(window.from))
    return { from: bounds.from, to: bounds.from + whole }
  const from = Math.min(Math.max(window.from, bounds.from), bounds.from + whole - width)
  return { from, to: from + width }
}

/**
 * Zooms around an instant, which stays where it is.
 * @param factor below 1 shows less, above 1 more
 */
export function zoom(window: Window, bounds: Window, factor: number, around: number): Window {
  const width = Math.min(
    Math.max((window.to - window.from) * factor, NARROWEST),
    Math.max(bounds.to - bounds.from, NARROWEST),
  )
  const share = (around - window.from) / (window.to - window.from)
  const from = around - width * share
  return clampWindow({ from, to: from + width }, bounds)
}

/** Shifts a window by a part of its own width. */
export function pan(window: Window, bounds: Window, share: number): Window {
  const by = (window.to - window.from) * share
  return clampWindow({ from: window.from + by, to: window.to + by }, bounds)
}

/** The window around a span with some room on both sides. */
export function around(from: number, to: number, bounds: Window): Window {
  const room = Math.max((to - from) * 0.1, (bounds.to - bounds.from) * 1e-6)
  return clampWindow({ from: from - room, to: to + room }, bounds)
}
