// Checks the package as its users get it: packs it, lints the archive and its types, installs it into an empty folder, and uses
// it there from ES modules, CommonJS and TypeScript on every supported Node; runs what the README shows.
// Usage: node test/suites/package.js [--node 20,22,24,26]
// Needs npm and the network; all but the Nodes themselves goes to a temporary folder that is removed at the end.
import { strict as assert } from 'node:assert'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { nodeOf } from '../support/nodes.js'
import {
  APP,
  CJS_TYPES,
  ESM_TYPES,
  EXPORTS_CJS,
  EXPORTS_ESM,
  GIVEN,
  LOADS,
  PRELOAD_CJS,
  PRELOAD_ESM,
} from './package-programs.js'
import { closure, must, packagesOf, readmeBlocks, run, spanNames } from './package-support.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { values } = parseArgs({ options: { node: { type: 'string', default: '20,22,24,26' } } })
const { dependencies, peerDependencies, version } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
)
const readme = readFileSync(join(root, 'README.md'), 'utf8')

/** What `threadspan demo` has beside it, and what it takes in the place of Node's own SQLite where there is none. */
const DEMO = ['fastify', 'node-sqlite3-wasm', 'piscina']
const BROUGHT = join('cli', 'demo', 'node_modules')
/** Node's own modules, which only the telemetry thread's option `--expose-internals` opens. */
const INTERNAL = 'internal'
/** What tsc makes the demo's service import for its decorators. */
const HELPERS = 'tslib'
/** What may be in the archive. */
const BELONGS =
  /^(?:dist\/.*\.(?:js|cjs|d\.ts|d\.cts|html)|dist\/cli\/demo\/node_modules\/.*\/(?:package\.json|LICENSE|[\w-]+\.mjs)|package\.json|README\.md|LICENSE|CHANGELOG\.md|THIRD-PARTY-NOTICES)$/
/** The public builtins that the preload makes a worker load, beyond those that every worker has. */
const BUILTINS = ['module']
/**
 * The files and bytes that the entries may have, with what they load at once: a thread compiles them at about 20 microseconds a kilobyte, the
 * first stage in every thread, the second one where there is a context, the rest of it in main threads and where HTTP is used.
 */
const MOST = {
  'preload.cjs': [1, 24_000],
  'second-stage.cjs': [3, 240_000],
  'worker.js': [1, 170_000],
  'process.cjs': [3, 160_000],
  'environment.cjs': [1, 4_000],
  'instrumentation.cjs': [3, 160_000],
  'databases.cjs': [3, 160_000],
  'frameworks.cjs': [3, 160_000],
  'messaging.cjs': [3, 160_000],
  'rpc.cjs': [3, 160_000],
  'sqlite.cjs': [1, 40_000],
  'pools.cjs': [3, 160_000],
  'children.cjs': [1, 24_000],
  'deadlines.cjs': [1, 32_000],
  'domains.cjs': [1, 4_000],
}

const folder = mkdtempSync(join(realpathSync(tmpdir()), 'threadspan-package-'))
let failed = 0
const check = (name, body) => {
  try {
    const told = body()
    console.log(`✔ ${name}${told === undefined ? '' : `: ${told}`}`)
  } catch (error) {
    failed++
    console.log(`✖ ${name}\n  ${String(error.message).replaceAll('\n', '\n  ')}`)
  }
}
const write = (path, text) => {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

try {
  const [{ filename, files }] = JSON.parse(
    must('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], root),
  )
  const archive = join(folder, filename)
  checkArchive(files.map(({ path }) => path))
  checkLint(archive)
  const app = installApp('app', archive, ['piscina'])
  const installed = join(app, 'node_modules', 'threadspan')
  checkFiles(installed)
  checkTypes(app)
  writePrograms(app)
  const older = installApp('piscina-4', archive, ['piscina@4'])
  writePrograms(older)
  const bare = installApp('bare', archive, [])
  for (const major of values.node.split(',')) {
    const node = nodeOf(major)
    checkNode(`Node ${major}`, node, app)
    check(`Node ${major}: Piscina 4 is followed`, () => checkPool(node, older))
    check(`Node ${major}: the demo runs with nothing else installed`, () => checkDemo(node, bare))
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
if (failed > 0) {
  console.error(`\n${failed} checks failed`)
  process.exit(1)
}

function checkArchive(paths) {
  check('The archive holds what belongs there', () => {
    assert.deepEqual(
      paths.filter((path) => !BELONGS.test(path) || path.startsWith('dist/viewer/model/')),
      [],
    )
    for (const path of [
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'THIRD-PARTY-NOTICES',
      'dist/viewer/index.html',
    ]) {
      assert.ok(paths.includes(path), `${path} is missing`)
    }
    return `${paths.length} files`
  })
  check('The notices name what is bundled', () => {
    const notices = readFileSync(join(root, 'THIRD-PARTY-NOTICES'), 'utf8')
    const squeezed = notices.replace(/\s+/g, ' ')
    for (const name of [
      'preact',
      '@preact/signals',
      '@preact/signals-core',
      'uplot',
      '@dagrejs/dagre',
      '@dagrejs/graphlib',
      'yaml',
    ]) {
      const licence = readFileSync(join(root, 'node_modules', name, 'LICENSE'), 'utf8')
      assert.ok(squeezed.includes(licence.replace(/\s+/g, ' ').trim()), `the licence of ${name} is missing`)
    }
    assert.match(notices, /^@opentelemetry\/api, in /m)
  })
  check('What the demo brings has its licences', () => {
    const brought = join(root, 'dist', BROUGHT)
    const folders = readdirSync(brought, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('package.json'))
      .map(dirname)
    for (const name of folders) {
      const licence = readFileSync(join(brought, name, 'LICENSE'), 'utf8')
      const own = readFileSync(join(root, 'node_modules', name, 'LICENSE'), 'utf8').trim()
      assert.ok(licence.includes(own), name)
    }
    assert.ok(['fastify', 'pino', 'piscina'].every((name) => folders.includes(name)))
    const named = readFileSync(join(brought, 'fastify', 'LICENSE'), 'utf8').match(/^\S+ \d+\.\d+\.\d+ \(/gm)
    assert.ok(named.length > 30 && named.some((title) => title.startsWith('ajv ')), String(named))
    return folders.join(', ')
  })
}

function checkLint(archive) {
  write('tools/package.json', '{}')
  const tools = join(folder, 'tools')
  must('npm', ['install', '--no-audit', '--no-fund', 'publint@0.3', '@arethetypeswrong/cli@0.18'], tools)
  const tool = (name) => join(tools, 'node_modules', '.bin', name)
  check('publint', () => {
    must('tar', ['xzf', archive, '-C', tools], tools)
    const unpacked = join(tools, 'package')
    const manifest = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8'))
    // By these the tests import what is built, and nobody else can: the files that they reach are no entries of the package.
    delete manifest.imports
    write('tools/package/package.json', JSON.stringify(manifest))
    must(tool('publint'), ['run', unpacked, '--strict', '--pack', 'false'], tools)
  })
  check('Are the types wrong?', () => {
    must(tool('attw'), [archive, '--profile', 'esm-only', '--no-color', '--no-emoji'], tools)
  })
}

function installApp(name, archive, others) {
  write(`${name}/package.json`, '{ "private": true, "type": "module" }')
  const app = join(folder, name)
  // Without legacy peer dependencies, so that a range that shuts somebody out is an error.
  must(
    'npm',
    ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--strict-peer-deps', archive, ...others],
    app,
  )
  return app
}

function checkFiles(installed) {
  const dist = join(installed, 'dist')
  check('Every package that is loaded is declared, and the other way round', () => {
    const scripts = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter(
      (file) => /\.c?js$/.test(file) && !file.startsWith(BROUGHT),
    )
    const loaded = new Set(scripts.flatMap((file) => packagesOf(readFileSync(join(dist, file), 'utf8'))))
    const declared = new Set([...Object.keys(dependencies ?? {}), ...Object.keys(peerDependencies)])
    assert.deepEqual(
      [...loaded].filter((name) => !declared.has(name) && ![...DEMO, INTERNAL, 'threadspan'].includes(name)),
      [],
      'loaded, but not declared',
    )
    assert.deepEqual(
      Object.keys(dependencies ?? {}).filter((name) => !loaded.has(name)),
      [],
      'declared, but never loaded',
    )
    // `threadspan` is the package itself, as the demo's service imports it.
    const only = (name) =>
      scripts.filter((file) => packagesOf(readFileSync(join(dist, file), 'utf8')).includes(name))
    assert.deepEqual(only(HELPERS), [join('cli', 'demo', 'app', 'database.js')])
    assert.deepEqual(only('threadspan'), only(HELPERS))
    assert.deepEqual(only(INTERNAL), ['telemetry.cjs'])
  })
  for (const [entry, [count, most]] of Object.entries(MOST)) {
    check(`${entry} is small, and needs Node alone`, () => {
      const { files, bytes } = closure(join(dist, entry))
      assert.ok(files.length <= count, `it loads ${files.map((file) => relative(dist, file)).join(', ')}`)
      for (const file of files) {
        const text = readFileSync(file, 'utf8')
        // The error domains are for those who ask for them, and loaded then.
        assert.deepEqual(
          packagesOf(text).filter((name) => name !== 'async-hook-domain'),
          [],
        )
        // One character outside Latin-1 doubles what the source takes in every thread.
        assert.doesNotMatch(text, /[^\0-\xff]/)
      }
      assert.ok(bytes <= most, `${bytes} bytes, of ${most} at most`)
      return `${files.length} files, ${bytes} bytes`
    })
  }
  check('The main entry loads nothing that exports, follows or shows', () => {
    const { files, bytes } = closure(join(dist, 'index.js'))
    const folders = new Set(files.map((file) => dirname(relative(dist, file)).split(sep)[0]))
    for (const other of ['cli', 'export', 'instrumentation', 'viewer']) assert.ok(!folders.has(other), other)
    const packages = new Set(files.flatMap((file) => packagesOf(readFileSync(file, 'utf8'))))
    packages.delete('async-hook-domain')
    assert.deepEqual([...packages], ['@opentelemetry/api'])
    return `${files.length} files, ${bytes} bytes`
  })
}

function checkTypes(app) {
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  write('app/esm.mts', ESM_TYPES)
  write('app/cjs.cts', CJS_TYPES)
  const roots = ['--types', 'node', '--typeRoots', join(root, 'node_modules', '@types')]
  const common = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    'false',
    '--target',
    'es2022',
    ...roots,
  ]
  check('TypeScript, module nodenext', () => {
    must(tsc, [...common, '--module', 'nodenext', 'esm.mts', 'cjs.cts'], app)
  })
  check('TypeScript, for a bundler', () => {
    must(tsc, [...common, '--module', 'esnext', '--moduleResolution', 'bundler', 'esm.mts'], app)
  })
}

function writePrograms(app) {
  const put = (name, text) => writeFileSync(join(app, name), text)
  put('given.js', GIVEN)
  put('handler.js', 'export default (n) => n + 1\n')
  put('app.js', APP)
  put('loads.cjs', LOADS)
  put('exports.mjs', EXPORTS_ESM)
  put('exports.cjs', EXPORTS_CJS)
  put('preload.mjs', PRELOAD_ESM)
  put('preload.cjs', PRELOAD_CJS)
  readmeBlocks(readme, 'js').forEach(({ text, name }, index) => {
    put(name ?? `readme-${index}.js`, text)
  })
}

function checkNode(title, node, app) {
  const path = `${dirname(node)}:${process.env['PATH']}`
  const execute = (args, env = {}) =>
    run(node, args, app, { PATH: path, OTEL_TRACES_EXPORTER: 'none', ...env })
  check(`${title}: every export, from ES modules and from CommonJS`, () => {
    const esm = execute(['exports.mjs'])
    const cjs = execute(['exports.cjs'])
    assert.equal(cjs.stdout, esm.stdout)
    assert.equal(esm.stderr + cjs.stderr, '', 'nothing is written to stderr')
    return `${JSON.parse(esm.stdout).length} exports`
  })
  check(`${title}: the preload and package.json, from ES modules and from CommonJS`, () => {
    for (const program of ['preload.mjs', 'preload.cjs']) {
      const { status, stdout, stderr } = execute([program])
      assert.equal(status, 0, stderr)
      assert.equal(stdout.trim(), version)
    }
    assert.equal(execute(['--import', 'threadspan/register', 'handler.js']).status, 0)
  })
  check(`${title}: the preload is its door and one file in a worker, with few builtins`, () => {
    const bare = JSON.parse(execute(['loads.cjs']).stdout)
    const { files, builtins } = JSON.parse(execute(['--require', 'threadspan/register', 'loads.cjs']).stdout)
    assert.deepEqual(
      files.map((file) => relative(app, file)),
      ['node_modules/threadspan/dist/register.cjs', 'node_modules/threadspan/dist/preload.cjs', 'loads.cjs'],
    )
    const added = builtins.filter((name) => !bare.builtins.includes(name))
    assert.deepEqual(
      added.filter((name) => !BUILTINS.includes(name)),
      [],
    )
    return added.join(', ')
  })
  check(`${title}: Piscina is followed`, () => checkPool(node, app))
  check(`${title}: the README's programs run`, () => {
    const programs = readmeBlocks(readme, 'js').map(({ name }, index) => name ?? `readme-${index}.js`)
    const mains = programs.filter((name) => name.startsWith('readme-'))
    assert.ok(mains.length > 0, 'the README shows no program')
    for (const name of mains) {
      const { status, stderr } = execute(['--import', './given.js', name])
      assert.equal(status, 0, `${name}:\n${stderr}`)
      assert.equal(stderr, '', name)
    }
    return programs.join(', ')
  })
  check(`${title}: the README's commands run`, () => {
    const commands = readmeBlocks(readme, 'sh')
      .flatMap(({ text }) => text.split('\n'))
      .map((line) => line.replace(/#.*/, '').trim())
      .filter((line) => /^(?:node|npx threadspan run) (?!.*--view).*app\.js$/.test(line))
    assert.ok(commands.length >= 2, 'the README shows no commands')
    for (const command of commands) {
      const [first, ...args] = command.split(' ')
      const program = first === 'npx' ? ['node_modules/threadspan/dist/cli/main.js', ...args.slice(1)] : args
      const { status, stderr } = execute(program)
      assert.equal(status, 0, `${command}:\n${stderr}`)
    }
    return commands.join('; ')
  })
}

/** Runs a program with a pool under the preload, and looks for the span of its task in a worker. */
function checkPool(node, app) {
  const file = join(app, 'spans.jsonl')
  rmSync(file, { force: true })
  const env = { OTEL_TRACES_EXPORTER: 'file', THREADSPAN_FILE: file }
  const { status, stderr } = run(node, ['--require', 'threadspan/register', 'app.js'], app, env)
  assert.equal(status, 0, stderr)
  assert.equal(stderr, '')
  assert.ok(existsSync(file), 'no span was exported')
  assert.deepEqual(spanNames(readFileSync(file, 'utf8')), ['job', 'run handler', 'task handler'])
}

/** Runs the demo where npm has installed the package alone. */
function checkDemo(node, app) {
  const main = join('node_modules', 'threadspan', 'dist', 'cli', 'main.js')
  const { status, stdout, stderr } = run(node, [main, 'demo', '--rounds', '2'], app, { TMPDIR: app })
  assert.equal(status, 0, stdout + stderr)
  assert.equal(stderr, '')
  const hasSql = / GET \/sql-read +2 /.test(stdout)
  assert.notEqual(hasSql, stdout.includes('this Node.js has no SQLite'))
  return `${/\d+ spans in \d+ traces/.exec(stdout)[0]}${hasSql ? ', with SQL' : ''}`
}
