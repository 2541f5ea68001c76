import { HUES } from '../../model/colour.js'
import { colour } from '../theme.js'

/** The colours of a theme, resolved for a canvas. */
export interface Palette {
  readonly hues: readonly string[]
  readonly surface: string
  readonly sunken: string
  readonly line: string
  readonly text: string
  readonly muted: string
  readonly barText: string
  readonly error: string
  readonly warn: string
  readonly wait: string
  readonly critical: string
  readonly accent: string
  readonly hover: string
  readonly selected: string
  readonly focus: string
  readonly strip: string
  readonly stripLine: string
  readonly shade: string
  readonly hatch: CanvasPattern | string
  readonly font: string
}

let made: { turn: number; ratio: number; palette: Palette } | undefined

/** The palette of the current theme; `turn` is the value of `colours`. */
export function palette(turn: number): Palette {
  const ratio = devicePixelRatio
  if (made === undefined || made.turn !== turn || made.ratio !== ratio) {
    made = { turn, ratio, palette: make() }
  }
  return made.palette
}

function make(): Palette {
  const wait = colour('--wait')
  return {
    hues: Array.from({ length: HUES }, (_, i) => colour(`--hue-${i}`)),
    surface: colour('--surface'),
    sunken: colour('--sunken'),
    line: colour('--line'),
    text: colour('--text'),
    muted: colour('--muted'),
    barText: colour('--bar-text'),
    error: colour('--error'),
    warn: colour('--warn'),
    wait,
    critical: colour('--critical'),
    accent: colour('--accent'),
    hover: colour('--hover'),
    selected: colour('--selected'),
    focus: colour('--focus'),
    strip: colour('--strip'),
    stripLine: colour('--strip-line'),
    shade: colour('--shade'),
    hatch: hatch(wait),
    font: `11px ${getComputedStyle(document.body).fontFamily}`,
  }
}

/** Diagonal lines: waiting looks like nothing that runs, with and without colour vision. */
function hatch(stroke: string): CanvasPattern | string {
  const tile = document.createElement('canvas')
  tile.width = 6
  tile.height = 6
  const ctx = tile.getContext('2d')!
  ctx.strokeStyle = stroke
  ctx.lineWidth = 1.2
  ctx.beginPath()
  for (const x of [-6, 0, 6]) {
    ctx.moveTo(x, 6)
    ctx.lineTo(x + 6, 0)
  }
  ctx.stroke()
  return ctx.createPattern(tile, 'repeat') ?? stroke
}
