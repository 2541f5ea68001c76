// The supported versions of Node, each from the npm registry, in a folder outside the repository.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * The path of a Node of that major version: this one, or one that is installed at the first call.
 *
 * @throws Error when npm cannot install it.
 */
export function nodeOf(major) {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath
  const name = `node-${process.platform}-${process.arch}`
  const folder = join(tmpdir(), 'threadspan-matrix', major)
  const binary = join(folder, 'node_modules', name, 'bin', 'node')
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true })
    const args = ['install', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', `${name}@${major}`]
    const { status } = spawnSync('npm', ['--prefix', folder, ...args], { stdio: 'inherit' })
    if (status !== 0) throw new Error(`Node ${major} could not be installed`)
  }
  return binary
}
