// Runs the decorators' programs as other compilers make them: esbuild, swc and tsx, installed into a temporary folder.
// Usage: node test/suites/decorators.js [part of a case's name ...]; the package has to be built.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGES = ['esbuild@0.28', '@swc/core@1', 'tsx@4', 'reflect-metadata@0.2', '@opentelemetry/api@1.9.1']
const SDK = '@opentelemetry/sdk-trace-base@2'
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'threadspan-decorators-'))
const wanted = process.argv.slice(2)
const node = process.execPath

process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
writeFileSync(join(folder, 'package.json'), '{"type":"module","private":true}')
execFileSync(
  'npm',
  ['install', '--no-audit', '--no-fund', '--no-save', ...PACKAGES, SDK, 'piscina@5', 'tslib@2'],
  {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  },
)
symlinkSync(root, join(folder, 'node_modules', 'threadspan'))
const { transformSync } = await import(join(folder, 'node_modules/@swc/core/index.js')).then((m) => m.default)
const esbuild = (await import(join(folder, 'node_modules/esbuild/lib/main.js'))).default

/** Each makes of the files in `source`, in `out`, what Node can run. */
const compilers = {
  esbuild(source, files, out, legacy) {
    esbuild.buildSync({
      entryPoints: files.map((file) => join(source, `${file}.ts`)),
      outdir: out,
      format: 'esm',
      target: 'es2022',
      logLevel: 'silent',
      tsconfigRaw: { compilerOptions: { experimentalDecorators: legacy } },
    })
  },
  swc(source, files, out, legacy) {
    for (const file of files) {
      const { code } = transformSync(readFileSync(join(source, `${file}.ts`), 'utf8'), {
        filename: `${file}.ts`,
        module: { type: 'es6' },
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: legacy ? { legacyDecorator: true } : { decoratorVersion: '2023-11' },
        },
      })
      writeFileSync(join(out, `${file}.js`), code)
    }
  },
}

const PROGRAMS = { standard: ['standard', 'offload'], legacy: ['legacy', 'metadata', 'offload'] }
let failures = 0

function run(name, args, cwd, expected) {
  if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) return
  const { status, stdout, stderr } = spawnSync(node, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
  })
  const ok = status === 0 && stdout === `ok ${expected}\n`
  if (!ok) failures++
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name}${ok ? '' : `\n${stdout}${stderr}`}`)
}

for (const [mode, programs] of Object.entries(PROGRAMS)) {
  const source = join(folder, `source-${mode}`)
  cpSync(resolve(root, 'test/fixtures/decorators'), source, { recursive: true })
  const files = ['common', 'offload-wrong', ...programs]
  for (const [compiler, compile] of Object.entries(compilers)) {
    const out = join(folder, `${compiler}-${mode}`)
    mkdirSync(out)
    compile(source, files, out, mode === 'legacy')
    for (const program of programs) run(`${compiler} ${mode} ${program}`, [`${program}.js`], out, program)
  }
  const compilerOptions = mode === 'legacy' ? { experimentalDecorators: true } : {}
  writeFileSync(
    join(source, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { target: 'es2022', ...compilerOptions } }),
  )
  // tsx 4 does not reach into worker threads on Node 20: what is offloaded is refused there, with the reason.
  for (const program of programs.filter((name) => name !== 'offload')) {
    run(`tsx ${mode} ${program}`, ['--import', 'tsx', `${program}.ts`], source, program)
  }
}
process.exitCode = failures === 0 ? 0 : 1
