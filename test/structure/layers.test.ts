import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, sep } from 'node:path'
import { describe, it } from 'node:test'

/** Each may import from those above it. The faces, directly in src, put the parts together and may import all. */
const LAYERS = [
  'core',
  'otlp',
  'config',
  'context',
  'recorder',
  'export',
  'relay',
  'sdk',
  'boundaries',
  'pools',
  'decorators',
  'errors',
  'logs',
  'metrics',
  'instrumentation',
  'viewer',
  'cli',
]

/** Layers that stand beside what is above them: they must not know these. */
const STRANGERS: Record<string, string[]> = {
  viewer: [
    'config',
    'context',
    'recorder',
    'export',
    'relay',
    'sdk',
    'boundaries',
    'pools',
    'decorators',
    'errors',
    'logs',
    'metrics',
    'instrumentation',
  ],
  boundaries: ['recorder', 'export', 'relay', 'sdk'],
  pools: ['recorder', 'export', 'relay', 'sdk', 'boundaries'],
  instrumentation: ['recorder', 'export', 'relay', 'sdk', 'boundaries', 'pools'],
  recorder: [],
}

/** Third-party packages and the one layer, or the files, that may import each. */
const PACKAGES: Record<string, string[]> = {
  '@opentelemetry/api': [
    'cli',
    'core',
    'context',
    'recorder',
    'sdk',
    'boundaries',
    'pools',
    'decorators',
    'errors',
    'logs',
    'instrumentation',
    '',
  ],
  'async-hook-domain': ['errors'],
  preact: ['viewer'],
  '@preact/signals': ['viewer'],
  uplot: ['viewer'],
  fastify: ['cli'],
  piscina: ['cli'],
  'node-sqlite3-wasm': ['cli'],
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

describe('the structure of src', () => {
  it('imports only from layers above', () => {
    const wrong: string[] = []
    for (const file of files) {
      const layer = layerOf(file)
      if (layer === '') continue
      for (const request of imports(file)) {
        if (!request.startsWith('.')) continue
        const target = layerOf(normalize(join(dirname(file), request)))
        if (target === layer) continue
        const isBelow = LAYERS.indexOf(target) > LAYERS.indexOf(layer) || target === ''
        if (isBelow || STRANGERS[layer]?.includes(target)) wrong.push(`${file} imports ${request}`)
      }
    }
    assert.deepEqual(wrong, [])
  })

  it('has no folder that is not a layer', () => {
    const folders = new Set(files.map(layerOf).filter((layer) => layer !== ''))
    for (const folder of folders) assert.ok(LAYERS.includes(folder), folder)
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
