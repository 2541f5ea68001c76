// Bundles what must be one file, from what tsc made of src/: the runtime that a preload loads into every thread.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const file = (path) => fileURLToPath(new URL(path, import.meta.url))

// Applications bring an API copy of their own. A bundled copy works beside it as long as it is the newer one: the API
// refuses a global that was registered by an older minor version.
const alias = { '@opentelemetry/api': file('node_modules/@opentelemetry/api-bundled/dist/index.mjs') }

const bundle = (name, format, options = {}) => ({
  input: file(`dist/${name}`),
  platform: 'node',
  resolve: { alias },
  external: [/^node:/],
  output: { file: file(`dist/${name}`), format, exports: 'named', ...options },
})

export default [bundle('register.cjs', 'cjs'), bundle('collector.js', 'esm')].filter(({ input }) =>
  existsSync(input),
)
