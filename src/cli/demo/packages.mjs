// Puts the packages that the demo's service is written with beside it, so that it runs wherever this package is installed:
// `dist/cli/demo/node_modules`, which nothing but the demo looks into. Usage: node src/cli/demo/packages.mjs
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('../../../node_modules', import.meta.url))
const out = fileURLToPath(new URL('../../../dist/cli/demo/node_modules', import.meta.url))
/** What may be passed on in this package, which has a licence of its own. */
const LICENCES = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0']

rmSync(out, { recursive: true, force: true })
// As they are: the preload knows both by their files.
await copy(['pino/pino.js'])
await copy(['piscina/dist/esm-wrapper.mjs', 'piscina/dist/worker.js'])
// In one file: of 40 packages with 290 files. Names are kept, for stacks that can be read.
await bundle('fastify', 'fastify.js', ['pino'])

async function bundle(name, main, external) {
  const folder = join(out, name)
  const build = await rolldown({ input: join(root, name, main), platform: 'node', external, onLog() {} })
  const { output } = await build.write({
    file: join(folder, 'index.cjs'),
    format: 'cjs',
    comments: false,
    minify: { mangle: false, compress: false, codegen: { removeWhitespace: true } },
  })
  await build.close()
  writeManifest(join(root, name), folder, './index.cjs')
  const folders = new Set(filesOf(output).map(folderOf))
  const texts = [...folders].sort().map((each) => `${titleOf(each)}\n\n${licenceOf(each)}`)
  writeFileSync(join(folder, 'LICENSE'), `${texts.join(`\n\n${'-'.repeat(80)}\n`)}\n`)
}

/** Copies the files that these load, with their packages' names and licences. */
async function copy(entries) {
  const input = entries.map((entry) => join(root, entry))
  const build = await rolldown({
    input,
    platform: 'node',
    external: /^@napi-rs/,
    treeshake: false,
    onLog() {},
  })
  const { output } = await build.generate({ format: 'cjs' })
  await build.close()
  const files = filesOf(output)
  for (const file of files) {
    const to = join(out, relative(root, file))
    mkdirSync(dirname(to), { recursive: true })
    if (file.endsWith('package.json')) continue
    copyFileSync(file, to)
  }
  for (const folder of new Set(files.map(folderOf))) {
    const to = join(out, relative(root, folder))
    writeManifest(folder, to)
    writeFileSync(join(to, 'LICENSE'), `${licenceOf(folder)}\n`)
  }
}

function filesOf(output) {
  const ids = output.flatMap(({ modules = {} }) => Object.keys(modules))
  // The bundler has modules of its own, which are no files.
  return [...new Set(ids)].filter((id) => id.startsWith(root) && existsSync(id))
}

/** Of the innermost package that a file is in. */
function folderOf(file) {
  return /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(file)[0]
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}

function titleOf(folder) {
  const { name, version, license, repository } = manifestOf(folder)
  if (!LICENCES.includes(license)) throw new Error(`${name} is licensed under ${license}`)
  return `${name} ${version} (${license})${repository ? `, ${repository.url ?? repository}` : ''}`
}

function licenceOf(folder) {
  const file = readdirSync(folder).find((name) => /^licen[cs]e(?:\.(?:md|txt))?$/i.test(name))
  if (file !== undefined) return readFileSync(join(folder, file), 'utf8').trim()
  const { author } = manifestOf(folder)
  return `The package has no text of its licence. Its author: ${author?.name ?? author}`
}

/** What Node needs of a package's description, and who reads it. */
function writeManifest(folder, to, main) {
  titleOf(folder)
  const { name, version, license, type, main: own, exports } = manifestOf(folder)
  const kept = { name, version, license, type, ...(main ? { main } : { main: own, exports }) }
  writeFileSync(join(to, 'package.json'), `${JSON.stringify(kept, undefined, 2)}\n`)
}
