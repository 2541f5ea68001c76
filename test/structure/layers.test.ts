import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, sep } from 'node:path'
import { describe, it } from 'node:test'

/** Each room may import from those above it. What lies directly in src are the faces, which may import all and are imported by none. */
const ROOMS = [
  'core',
  'hooks',
  'otlp',
  'config',
  'exceptions',
  'context',
  'recorder',
  'ring',
  'metrics',
  'surfacers',
  'logs',
  'link',
  'trace',
  'terminal',
  'export',
  'collector',
  'sdk',
  'errors',
  'boundaries',
  'pools',
  'instrumentation',
  'decorators',
  'runtime',
  'viewer',
  'cli',
]

const SPANS = ['recorder', 'ring', 'link', 'terminal', 'export', 'collector', 'sdk']

/** Rooms that lie above another one, and that it must not know all the same. */
const STRANGERS: Record<string, string[]> = {
  viewer: ROOMS.slice(0, ROOMS.indexOf('viewer')).filter((room) => !['core', 'otlp', 'trace'].includes(room)),
  boundaries: SPANS,
  pools: [...SPANS, 'boundaries'],
  instrumentation: [...SPANS, 'boundaries', 'pools'],
}

/** Rooms with a folder for each library that is followed: these do not know each other. */
const SIDE_BY_SIDE = ['pools', 'instrumentation']

/** Third-party packages and the one layer, or the files, that may import each. */
const PACKAGES: Record<string, string[]> = {
  '@opentelemetry/api': [
    'cli',
    'core',
    'context',
    'recorder',
    'metrics',
    'sdk',
    'pools',
    'decorators',
    'errors',
    'logs',
    'instrumentation',
    'runtime',
    '',
  ],
  'async-hook-domain': ['errors'],
  preact: ['viewer'],
  '@preact/signals': ['viewer'],
  uplot: ['viewer'],
  '@dagrejs/dagre': ['viewer'],
  fastify: ['cli'],
  piscina: ['cli'],
  'node-sqlite3-wasm': ['cli'],
  yaml: ['runtime'],
  threadspan: ['cli'],
}

const root = 'src'
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
  /\.(ts|cts|tsx)$/.test(file),
)

function layerOf(file: string): string {
  const [first, rest] = file.split(sep)
  return rest === undefined ? '' : first!
}

function imports(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const statements = text.matchAll(/^(?:import|export) (?:[^'"();=]*? from )?'([^']+)'/gm)
  const expressions = text.matchAll(/\bimport\('([^']+)'\)/g)
  return [...statements, ...expressions].map((match) => match[1]!)
}

/** The file that an import names; undefined for packages and what the build makes. */
function targetOf(file: string, request: string): string | undefined {
  if (!request.startsWith('.')) return undefined
  const path = normalize(join(dirname(file), request))
  return ['.ts', '.tsx', '.cts']
    .map((extension) => path.replace(/\.c?js$/, extension))
    .find((candidate) => files.includes(candidate))
}

/** Imports of more than types. */
function valueImports(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(/^(?:import|export) (?!type )((?:[^'"();=]*? from )?)'([^']+)'/gm)]
    .filter(([, names]) => !/^\{(?:\s*type [^,}]*,?)+\s*\} from $/.test(names!))
    .map(([, , request]) => request!)
}

describe('the structure of src', () => {
  it('imports only from rooms above', () => {
    const wrong: string[] = []
    for (const file of files) {
      const room = layerOf(file)
      if (room === '') continue
      for (const request of imports(file)) {
        if (!request.startsWith('.')) continue
        const target = layerOf(normalize(join(dirname(file), request)))
        if (target === room) continue
        const isBelow = ROOMS.indexOf(target) > ROOMS.indexOf(room) || target === ''
        if (isBelow || STRANGERS[room]?.includes(target)) wrong.push(`${file} imports ${request}`)
      }
    }
    assert.deepEqual(wrong, [])
  })

  it('keeps the faces alone in src, and every other file in a room', () => {
    const faces = files.filter((file) => layerOf(file) === '')
    assert.deepEqual(faces.sort(), ['index.ts', 'register.cts', 'worker.ts'])
    const rooms = new Set(files.map(layerOf).filter((room) => room !== ''))
    assert.deepEqual(
      [...rooms].filter((room) => !ROOMS.includes(room)),
      [],
    )
    assert.deepEqual(
      ROOMS.filter((room) => !rooms.has(room)),
      [],
    )
  })

  it('has one place for each thing that copies of the package share, in the room that names it', () => {
    const names = /^ {2}\| '([^']+)'$/gm
    const listed = [...readFileSync(join(root, 'core/shared.ts'), 'utf8').matchAll(names)].map(
      ([, name]) => name!,
    )
    assert.ok(listed.length > 30)
    // What is loaded by itself, in a worker, reads what the modules have made.
    const modules = files
      .filter((file) => file.endsWith('.ts') && file !== join('core', 'shared.ts'))
      .map((file) => [file, readFileSync(join(root, file), 'utf8')] as const)
    const places = listed.map((name) => {
      const made = modules.filter(([, text]) => text.includes(`'${name}'`)).map(([file]) => layerOf(file))
      return [name, made]
    })
    assert.deepEqual(
      places,
      listed.map((name) => [name, [name.split('.')[0]]]),
    )
  })

  it('has no circle of files, types apart', () => {
    const state = new Map<string, 'open' | 'done'>()
    const circles: string[] = []
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === 'done') return
      if (state.get(file) === 'open') {
        circles.push([...path.slice(path.indexOf(file)), file].join(' > '))
        return
      }
      state.set(file, 'open')
      for (const request of valueImports(file)) {
        const target = targetOf(file, request)
        if (target !== undefined) visit(target, [...path, file])
      }
      state.set(file, 'done')
    }
    for (const file of files) visit(file, [])
    assert.deepEqual(circles, [])
  })

  it('keeps the libraries that are followed apart', () => {
    const wrong: string[] = []
    for (const file of files) {
      const [room, folder, rest] = file.split(sep)
      if (!SIDE_BY_SIDE.includes(room!) || rest === undefined) continue
      for (const request of imports(file)) {
        const [other, beside, inner] = targetOf(file, request)?.split(sep) ?? []
        if (other === room && inner !== undefined && beside !== folder)
          wrong.push(`${file} imports ${request}`)
      }
    }
    assert.deepEqual(wrong, [])
  })

  it('imports third-party packages where they belong, and no others', () => {
    const wrong: string[] = []
    for (const file of files) {
      for (const request of imports(file)) {
        if (request.startsWith('.') || request.startsWith('node:')) continue
        const name = request
          .split('/')
          .slice(0, request.startsWith('@') ? 2 : 1)
          .join('/')
        if (!PACKAGES[name]?.includes(layerOf(file))) wrong.push(`${file} imports ${request}`)
      }
    }
    assert.deepEqual(wrong, [])
  })
})
