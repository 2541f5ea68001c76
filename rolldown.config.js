// Bundles what threads and children load. Each is one file: finding and linking the 70 modules of `threadspan/worker` and the
// 50 of the API would cost a worker 60 ms, and reading one costs it 10.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const file = (path) => fileURLToPath(new URL(path, import.meta.url))

// Applications bring an API copy of their own. A bundled copy works beside it as long as it is the newer one: the API
// refuses a global that was registered by an older minor version.
const alias = { '@opentelemetry/api': file('node_modules/@opentelemetry/api-bundled/dist/index.mjs') }

// One character outside Latin-1 makes V8 hold the whole source in two bytes each, in every thread. The bundler indents by tabs, which none of
// our sources has in a text: without them each thread reads a twentieth less, and stack traces keep their names and lines.
const lean = {
  name: 'lean',
  generateBundle(_options, files) {
    for (const chunk of Object.values(files)) {
      chunk.code = chunk.code.replace(/^\t+/gm, '').replace(/[^\0-\x7f]/g, (unit) => {
        return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
      })
    }
  },
}

// What the parts' common file exports, which the bundler writes in six lines for each name.
const EXPORT =
  /Object\.defineProperty\(exports, ("\w+"), \{\nenumerable: true,\nget: function\(\) \{\nreturn (\w+);\n\}\n\}\);\n/g
const SHARE =
  'const share = (name, get) => Object.defineProperty(exports, name, { enumerable: true, get });\n'
const shortExports = {
  name: 'short-exports',
  generateBundle(_options, files) {
    for (const chunk of Object.values(files)) {
      const first = chunk.code.search(EXPORT)
      if (first === -1) continue
      const exported = chunk.code.slice(first).replace(EXPORT, 'share($1, () => $2);\n')
      chunk.code = chunk.code.slice(0, first) + SHARE + exported
    }
  },
}

// The declarations of the main entry for who `require`s it: those of the ES modules, as CommonJS, all the way down.
const commonJsTypes = {
  name: 'commonjs-types',
  writeBundle() {
    const written = new Set()
    const write = (path) => {
      if (written.has(path)) return
      written.add(path)
      const text = readFileSync(path, 'utf8')
      const relative = /(?<=(?:from |import\()')(\.{1,2}\/[^']+)\.js(?=')/g
      for (const [, request] of text.matchAll(relative)) write(join(dirname(path), `${request}.d.ts`))
      writeFileSync(path.replace(/\.ts$/, '.cts'), text.replace(relative, '$1.cjs'))
    }
    write(file('dist/index.d.ts'))
  },
}

// From TypeScript rather than from what tsc made of it: the preload is CommonJS there and would `require` each module, so
// that each stays wrapped in a function and none is left out. That costs every worker 1 to 3 ms. Removing white space would
// save it 0.3 ms; being able to read a stack trace is worth more.
const common = (external) => ({
  platform: 'node',
  // Names of the sources, in a comment before the code of each.
  experimental: { attachDebugInfo: 'none' },
  plugins: [lean],
  resolve: { ...(external.length === 0 && { alias }), extensionAlias: { '.js': ['.ts', '.js'] } },
  transform: { target: 'es2022' },
  external: [/^node:/, ...external],
})

const bundle = (from, to, format, external = [], plugins = []) => ({
  ...common(external),
  plugins: [lean, ...plugins],
  input: file(`src/${from}`),
  output: { file: file(`dist/${to}`), format, strict: true, comments: false },
})

// Parts of one whole, each of which is loaded when it is needed (`hooks/parts.ts`); what they share goes into a file beside them.
const parts = (entries) => ({
  ...common([]),
  plugins: [lean, shortExports],
  preserveEntrySignatures: 'allow-extension',
  input: Object.fromEntries(Object.entries(entries).map(([name, from]) => [name, file(`src/${from}`)])),
  output: {
    dir: file('dist'),
    format: 'cjs',
    strict: true,
    comments: false,
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name].cjs',
    codeSplitting: { groups: [{ name: 'shared', minShareCount: 2, includeDependenciesRecursively: false }] },
  },
})

export default [
  bundle('runtime/preload.cts', 'preload.cjs', 'cjs'),
  bundle('boundaries/environment-part.cts', 'environment.cjs', 'cjs'),
  // For test runners and tools that cannot `require` ES modules. The application's own copy of the API serves it.
  bundle(
    'index.ts',
    'index.cjs',
    'cjs',
    ['@opentelemetry/api', 'async-hook-domain', 'tslib'],
    [commonJsTypes],
  ),
  parts({
    'second-stage': 'runtime/second-stage.cts',
    process: 'runtime/process-part.cts',
    instrumentation: 'instrumentation/part.cts',
    databases: 'instrumentation/databases-part.cts',
    frameworks: 'instrumentation/frameworks-part.cts',
    messaging: 'instrumentation/messaging-part.cts',
    rpc: 'instrumentation/rpc-part.cts',
    pools: 'pools/part.cts',
  }),
  bundle('worker.ts', 'worker.js', 'esm'),
  // What pools load in place of a handler's file: from what tsc made of it, which is CommonJS as its author wrote it.
  ...['piscina', 'tinypool'].map((pool) => ({
    platform: 'node',
    input: file(`dist/pools/${pool}/task.cjs`),
    external: [/^node:/],
    output: { file: file(`dist/pools/${pool}/task.cjs`), format: 'cjs', comments: false },
  })),
  bundle('runtime/collector.cts', 'collector.cjs', 'cjs', ['./telemetry.cjs']),
  bundle('runtime/telemetry.cts', 'telemetry.cjs', 'cjs'),
  bundle('runtime/surfacers.cts', 'surfacers.cjs', 'cjs'),
  bundle('runtime/metrics-part.cts', 'metrics.cjs', 'cjs'),
  bundle('runtime/logs-part.cts', 'logs.cjs', 'cjs'),
  bundle('instrumentation/sqlite-part.cts', 'sqlite.cjs', 'cjs'),
  bundle('collector/unheard-part.cts', 'unheard.cjs', 'cjs'),
  bundle('runtime/config-file-part.cts', 'config-file.cjs', 'cjs'),
  bundle('runtime/configured-part.cts', 'configured.cjs', 'cjs'),
  bundle('runtime/settings-part.cts', 'settings.cjs', 'cjs'),
  bundle('boundaries/children-part.cts', 'children.cjs', 'cjs'),
  bundle('errors/domain-part.cts', 'domains.cjs', 'cjs'),
  bundle('runtime/deadlines-part.cts', 'deadlines.cjs', 'cjs'),
  bundle('sdk/reading.cts', 'reading.cjs', 'cjs'),
  bundle('collector/delivering.cts', 'delivering.cjs', 'cjs'),
  bundle('exceptions/describing.cts', 'describing.cjs', 'cjs'),
  bundle('runtime/doctor.cts', 'doctor.cjs', 'cjs'),
]
