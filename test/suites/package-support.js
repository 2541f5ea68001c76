// What the checks of the package share.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, resolve } from 'node:path'

/** Runs a command that has to succeed. @returns what it wrote. */
export function must(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (error) throw error
  if (status === 0) return stdout
  throw new Error(`${command} ${args.join(' ')} failed in ${cwd}:\n${stdout}\n${stderr}`)
}

/** Runs a program with an environment that says nothing of tracing but what `env` does. */
export function run(node, args, cwd, env) {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:OTEL|THREADSPAN|NODE)_/.test(name))
  return spawnSync(node, args, {
    cwd,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...Object.fromEntries(inherited), ...env },
  })
}

/** The code blocks of a Markdown text in one language; a comment in the first line may begin with a file's name. */
export function readmeBlocks(markdown, language) {
  return [...markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)]
    .filter(([, written]) => written === language)
    .map(([, , text]) => ({ text, name: /^\/\/ ([\w-]+\.m?js)\b/.exec(text)?.[1] }))
}

/** The file of an entry and those that it imports statically, from one to the next. */
export function closure(entry) {
  const files = new Map()
  const visit = (file) => {
    if (files.has(file)) return
    const text = readFileSync(file, 'utf8')
    files.set(file, Buffer.byteLength(text))
    const paths = [
      ...text.matchAll(/^(?:import|export)\s(?:[^'"]*?\sfrom\s)?['"](\.[^'"]+)['"]/gm),
      ...text.matchAll(/^(?:const|let) \w+ = require\("(\.\/[^"]+)"\)/gm),
    ]
    for (const [, path] of paths) visit(resolve(dirname(file), path))
  }
  visit(entry)
  return { files: [...files.keys()], bytes: [...files.values()].reduce((sum, size) => sum + size, 0) }
}

/** The names of packages, without Node's builtins, that a script imports or requires under a literal name. */
export function packagesOf(script) {
  const names = [
    ...script.matchAll(/^(?:import|export)\s(?:[^'"]*?\sfrom\s)?['"]([@\w][^'"]*)['"]/gm),
    ...script.matchAll(/(?:\brequire|\bimport|\bcreateRequire\([^()]*\)|\))\(['"]([@a-z][\w@/.-]*)['"]\)/g),
  ].map(([, name]) => name)
  return [...new Set(names.filter((name) => !isBuiltin(name)).map(packageName))]
}

function packageName(specifier) {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

/** The names of the spans in a file of OTLP JSON lines, in order. */
export function spanNames(lines) {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => JSON.parse(line).resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans.map(({ name }) => name)))
    .sort()
}
