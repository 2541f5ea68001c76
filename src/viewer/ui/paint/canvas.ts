import type { Window } from '../../model/window.js'

/** Where and how large a drawing is, CSS pixels. */
export interface Frame {
  readonly width: number
  readonly height: number
  readonly window: Window
  /** How far the drawing is scrolled down. */
  readonly top: number
}

/** Fits a canvas to its box at the screen's resolution and clears it; null while it has no size or is not on the page. */
export function begin(
  canvas: HTMLCanvasElement | null,
  width: number,
  height: number,
): CanvasRenderingContext2D | null {
  if (canvas === null || width < 1 || height < 1) return null
  const ratio = devicePixelRatio
  const w = Math.round(width * ratio)
  const h = Math.round(height * ratio)
  if (canvas.width !== w) canvas.width = w
  if (canvas.height !== h) canvas.height = h
  const ctx = canvas.getContext('2d')
  if (ctx === null) return null
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0)
  ctx.clearRect(0, 0, width, height)
  return ctx
}

/** From milliseconds to CSS pixels, kept near the canvas so that huge coordinates cannot lose precision. */
export function scaleX({ window, width }: Pick<Frame, 'window' | 'width'>): (time: number) => number {
  const factor = width / (window.to - window.from)
  return (time) => Math.max(-50_000, Math.min(50_000, (time - window.from) * factor))
}

/** Writes a text no wider than `room`, with an ellipsis when it is cut; nothing when not even three letters fit. */
export function writeWithin(
  ctx: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  room: number,
): number {
  if (room < 16) return 0
  // Names can be megabytes long; a canvas must not measure more than it could show.
  let shown = text.length > room ? text.slice(0, Math.ceil(room)) : text
  let width = ctx.measureText(shown).width
  if (width > room || shown.length < text.length) {
    let keep = Math.floor((shown.length * (room - 6)) / Math.max(width, 1))
    do {
      if (keep < 3) return 0
      shown = `${text.slice(0, keep)}…`
      width = ctx.measureText(shown).width
      keep -= 1 + (keep >> 4)
    } while (width > room)
  }
  ctx.fillText(shown, x, y)
  return width
}
