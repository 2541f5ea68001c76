/**
 * Finds the sources that a stack's frames were made of, by the source maps beside the files that run or inside of them. Loaded when the
 * first error is told: it reads files synchronously, which is for programs that fail, and only then.
 *
 * Not Node's `module.findSourceMap`, which knows none unless Node was started for it, nor its `SourceMap`, which makes an array of
 * each mapping: of a bundle's these are a million.
 */
import { readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { settings } from './settings.js'

/** Bytes of a file, or of a map, that is read. */
const MAX_FILE = 8 * 1024 * 1024
/** Characters of all maps that are kept. */
const MAX_KEPT = 16 * 1024 * 1024
/** Files that are known to have a map or none, and places that have been looked up. */
const MAX_FILES = 500
const MAX_PLACES = 2000
/** Lines of a stack that are looked at, and characters of one. */
const MAX_LINES = 256
const MAX_LINE = 1024

interface Section {
  /** Where its part of the file begins; from 0. */
  readonly line: number
  readonly column: number
  readonly mappings: string
  /** Paths and URLs. */
  readonly sources: readonly string[]
}

/** Sections in the order of the file: one, except in an index map. */
interface FileMap {
  readonly sections: readonly Section[]
  readonly size: number
}

/** A position in a file that runs, from 0, and what it was made of: `source:line:column` from 1, once it has been looked up. */
interface Place {
  readonly line: number
  readonly column: number
  source: string | undefined
}

interface Frame {
  readonly start: number
  readonly end: number
  readonly file: string
  readonly line: number
  readonly column: number
}

const maps = new Map<string, FileMap | undefined>()
const known = new Map<string, string | undefined>()
let kept = 0

/** A stack in the terms of the sources, by the source maps at hand; as it is where Node has done it. Never throws. */
export function inSources(stack: string): string {
  if (settings.stacksAreLeft || stack === '' || process.sourceMapsEnabled) return stack
  try {
    return toSources(stack)
  } catch {
    settings.stacksAreLeft = true
    return stack
  }
}

/** A stack, its frames in the terms of their sources where there are maps. Function names stay those of what runs. */
function toSources(stack: string): string {
  if (known.size > MAX_PLACES) known.clear()
  const lines = stack.split('\n')
  const frames = new Map<number, Frame>()
  const wanted = new Map<string, Place[]>()
  for (let i = 0; i < lines.length && i < MAX_LINES; i++) {
    const frame = frameOf(lines[i]!)
    if (frame === undefined) continue
    frames.set(i, frame)
    if (known.has(keyOf(frame))) continue
    const places = wanted.get(frame.file) ?? []
    places.push({ line: frame.line - 1, column: frame.column - 1, source: undefined })
    wanted.set(frame.file, places)
  }
  if (frames.size === 0) return stack
  for (const [file, places] of wanted) lookUp(file, places)
  for (const [i, frame] of frames) {
    const source = known.get(keyOf(frame))
    if (source === undefined) continue
    lines[i] = lines[i]!.slice(0, frame.start) + source + lines[i]!.slice(frame.end)
  }
  return lines.join('\n')
}

const keyOf = ({ file, line, column }: Frame): string => `${file}:${line}:${column}`

/** The frame of a line, if it is one of a file of the application that may have been made of another. */
function frameOf(text: string): Frame | undefined {
  if (text.length > MAX_LINE || !text.startsWith('    at ')) return undefined
  const position = /:(\d+):(\d+)(\)?)$/.exec(text)
  if (position === null) return undefined
  const start = position[3] === ')' ? text.lastIndexOf('(') + 1 : text.startsWith('async ', 7) ? 13 : 7
  const file = text.slice(start, position.index)
  if (!/\.[cm]?jsx?(?:\?.*)?$/.test(file) || /[\\/]node_modules[\\/]/.test(file)) return undefined
  if (!file.startsWith('file://') && !isAbsolute(file)) return undefined
  const end = position.index + position[0].length - position[3]!.length
  return { start, end, file, line: Number(position[1]), column: Number(position[2]) }
}

function lookUp(file: string, places: Place[]): void {
  const map = mapOf(file)
  for (const section of map?.sections ?? []) {
    const after = places.filter(
      ({ line, column }) => compare(line, column, section.line, section.column) >= 0,
    )
    locate(section, after)
  }
  for (const { line, column, source } of places) {
    known.set(`${file}:${line + 1}:${column + 1}`, source)
  }
}

const compare = (line: number, column: number, otherLine: number, otherColumn: number): number =>
  line - otherLine || column - otherColumn

function mapOf(file: string): FileMap | undefined {
  if (maps.has(file)) return maps.get(file)
  let map: FileMap | undefined
  try {
    map = readMap(file.startsWith('file:') ? fileURLToPath(file.replace(/[?#].*$/, '')) : file)
  } catch {
    // No such file, or none that can be understood.
  }
  kept += map?.size ?? 0
  maps.set(file, map)
  for (const [oldest, { size } = { size: 0 }] of maps) {
    if (oldest === file || (kept <= MAX_KEPT && maps.size <= MAX_FILES)) break
    maps.delete(oldest)
    kept -= size
  }
  return map
}

function readMap(path: string): FileMap | undefined {
  const text = read(path)
  const url = text === undefined ? undefined : urlIn(text)
  if (url === undefined) return undefined
  const inline = /^data:application\/json[^,]*?(;base64)?,/.exec(url)
  if (inline !== null) {
    const data = url.slice(inline[0].length)
    return parse(
      inline[1] === undefined ? decodeURIComponent(data) : Buffer.from(data, 'base64').toString(),
      dirname(path),
    )
  }
  if (/^[a-z]{2,}:(?!\/\/\/)/i.test(url)) return undefined
  const mapPath = url.startsWith('file:')
    ? fileURLToPath(url)
    : resolve(dirname(path), decodeURIComponent(url))
  const map = read(mapPath)
  return map === undefined ? undefined : parse(map, dirname(mapPath))
}

/** The last such comment, which only comments may follow: elsewhere it is what a string says. */
function urlIn(text: string): string | undefined {
  const at = text.lastIndexOf(' sourceMappingURL=')
  if (at < 3 || !/(?:^|\n)\/\/[#@]$/.test(text.slice(Math.max(0, at - 4), at))) return undefined
  const [comment, ...others] = text.slice(at + ' sourceMappingURL='.length).split('\n')
  return others.every((line) => /^\s*(?:\/\/|$)/.test(line)) ? comment!.trim() : undefined
}

function read(path: string): string | undefined {
  const stat = statSync(path)
  return stat.isFile() && stat.size <= MAX_FILE ? readFileSync(path, 'utf8') : undefined
}

interface RawMap {
  mappings?: unknown
  sources?: unknown
  sourceRoot?: unknown
  sections?: unknown
}

function parse(text: string, folder: string): FileMap {
  const raw = JSON.parse(text.replace(/^\)\]\}'.*\n/, '')) as RawMap
  const parts: { offset: { line: number; column: number }; map: RawMap }[] = Array.isArray(raw.sections)
    ? raw.sections
    : [{ offset: { line: 0, column: 0 }, map: raw }]
  const sections = parts.map(({ offset: { line, column }, map }) => {
    if (typeof map.mappings !== 'string' || !Array.isArray(map.sources)) throw new TypeError('no source map')
    const root = typeof map.sourceRoot === 'string' ? map.sourceRoot.replace(/\/?$/, '/') : ''
    const sources = map.sources.map((source: unknown) =>
      placeOf(root === '/' ? String(source) : root + source, folder),
    )
    return { line, column, mappings: map.mappings, sources }
  })
  return { sections, size: sections.reduce((size, { mappings }) => size + mappings.length, 0) }
}

function placeOf(source: string, folder: string): string {
  if (source.startsWith('file:')) return fileURLToPath(source)
  return /^[a-z][a-z\d+.-]*:\/\//i.test(source) ? source : resolve(folder, source)
}

const DIGITS = new Int8Array(128).fill(-1)
for (let i = 0; i < 64; i++) {
  DIGITS['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.charCodeAt(i)] = i
}
const COMMA = 44
const SEMICOLON = 59

/**
 * Finds what places were made of, all in one pass (ECMA-426, "Mappings structure"): each field is the difference to that of the
 * mapping before, so that nothing can be skipped. A place belongs to the last mapping of its line that begins at or before it.
 */
function locate({ line, column, mappings, sources }: Section, places: Place[]): void {
  const open = [...places].sort((a, b) => compare(a.line, a.column, b.line, b.column))
  let next = 0
  let at = 0
  let currentLine = line
  let currentColumn = column
  let [source, sourceLine, sourceColumn] = [0, 0, 0]
  /** Whether the last mapping of the line names a source. */
  let isFound = false
  const number = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 5) {
      const digit = DIGITS[mappings.charCodeAt(at++)] ?? -1
      if (digit < 0 || shift > 30) throw new RangeError('no mapping')
      value |= (digit & 31) << shift
      if (digit < 32) return value & 1 ? -(value >>> 1) : value >>> 1
    }
  }
  const isEnd = (): boolean => {
    const code = mappings.charCodeAt(at)
    return Number.isNaN(code) || code === COMMA || code === SEMICOLON
  }
  /** Places before the given one belong to what was found last. */
  const close = (toLine: number, toColumn: number): void => {
    for (; next < open.length; next++) {
      const place = open[next]!
      if (compare(place.line, place.column, toLine, toColumn) >= 0) return
      if (!isFound || place.line !== currentLine || sources[source] === undefined) place.source = undefined
      else place.source = `${sources[source]}:${sourceLine + 1}:${sourceColumn + 1}`
    }
  }
  try {
    while (at < mappings.length && next < open.length) {
      if (isEnd()) {
        if (mappings.charCodeAt(at++) === COMMA) continue
        close(currentLine + 1, 0)
        currentLine++
        currentColumn = 0
        isFound = false
        continue
      }
      currentColumn += number()
      close(currentLine, currentColumn)
      isFound = !isEnd()
      if (!isFound) continue
      source += number()
      sourceLine += number()
      sourceColumn += number()
      if (!isEnd()) number()
    }
    close(Number.POSITIVE_INFINITY, 0)
  } catch {
    // What is behind a mapping that cannot be read stays as it is.
  }
}
