// Builds the viewer's page: one HTML file with its style and script inline, which the server can answer with a content
// security policy that names exactly those two. Usage: node src/viewer/ui/build.mjs [output folder, default dist/viewer]
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'

const MOST_GZIPPED = 150_000
const here = fileURLToPath(new URL('.', import.meta.url))
const out = resolve(process.argv[2] ?? 'dist/viewer')
const read = (...path) => readFileSync(join(here, ...path), 'utf8')

const bundle = await rolldown({
  input: join(here, 'main.tsx'),
  platform: 'browser',
  tsconfig: join(here, 'tsconfig.json'),
  resolve: { extensionAlias: { '.js': ['.tsx', '.ts', '.js'] } },
  transform: { target: 'es2022' },
})
const { output } = await bundle.generate({ format: 'iife', minify: true })
await bundle.close()
if (output.length !== 1)
  throw new Error(`The page must be one script; the bundler made ${output.length} files.`)

// A closing tag in a string of the script would end the element.
const script = output[0].code.replace(/<\/(?=script)/gi, '<\\/').replace(/<!--/g, '<\\!--')
const sheets = ['tokens', 'base', 'shell', 'table', 'charts', 'records', 'trace', 'board', 'details']
const style = sheets.map((name) => squeeze(read('styles', `${name}.css`))).join('')
const chartStyle = squeeze(
  readFileSync(fileURLToPath(import.meta.resolve('uplot/dist/uPlot.min.css')), 'utf8'),
)

// Functions, because the script holds `$&`, which a replacement text would expand.
const page = read('index.html')
  .replace('/* style */', () => chartStyle + style)
  .replace('/* script */', () => script.trim())
mkdirSync(out, { recursive: true })
writeFileSync(join(out, 'index.html'), page)

const size = gzipSync(page).length
console.log(`${join(out, 'index.html')}: ${page.length} bytes, ${size} gzipped`)
if (size > MOST_GZIPPED)
  throw new Error(`The page is ${size} bytes gzipped; ${MOST_GZIPPED} is the most it may be.`)

/** Drops comments and white space that a style sheet does not need. The sheets hold no strings with either. */
function squeeze(css) {
  return css
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};,>]) ?/g, '$1')
    .replace(/: /g, ':')
    .replace(/;}/g, '}')
    .trim()
}
