/** Frameworks that need a folder of their own: packages that cannot be beside others, an application that is built. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { cleanEnvironment, fixture } from '../support/program.js'
import type { Subject } from './run.js'

const NEST = {
  '@nestjs/common': '11.2.10',
  '@nestjs/core': '11.2.10',
  '@nestjs/platform-express': '11.2.10',
  '@nestjs/platform-fastify': '11.2.8',
  'reflect-metadata': '0.2.2',
  rxjs: '7.8.2',
}
const NEXT = { next: '16.4.6', react: '19.2.0', 'react-dom': '19.2.0' }

/** Installs them below `build/frameworks`, once. */
export function installedSubjects(): Subject[] {
  const nest = install('nest-11', NEST)
  const next = install('next-16', NEXT)
  if (!existsSync(join(next, '.next', 'BUILD_ID'))) {
    cpSync(fixture('frameworks/apps/next'), next, { recursive: true })
    const env = { ...cleanEnvironment(), NEXT_TELEMETRY_DISABLED: '1' }
    execFileSync(process.execPath, ['node_modules/next/dist/bin/next', 'build'], {
      cwd: next,
      env,
      stdio: 'pipe',
    })
  }
  return [
    { name: 'NestJS 11.2, Express', app: 'nestjs', variant: 'express', folder: nest },
    { name: 'NestJS 11.2, Fastify', app: 'nestjs', variant: 'fastify', folder: nest },
    {
      name: 'Next 16.4',
      app: 'next',
      variant: '',
      parameters: '[]',
      // Nothing stands between its handlers and what it answers by itself.
      without: ['answered', 'middleware'],
      stack: /\.next[\\/]server|program\.cjs/,
      folder: next,
    },
  ]
}

function install(name: string, packages: Readonly<Record<string, string>>): string {
  const folder = resolve('build', 'frameworks', name)
  if (existsSync(join(folder, 'node_modules'))) return folder
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: packages }))
  writeFileSync(join(folder, 'load.mjs'), 'export default (name) => import(name)\n')
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: 'pipe',
  })
  return folder
}
