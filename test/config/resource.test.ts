import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, it } from 'node:test'

import { containerId, resourceAttributes } from '#dist/config/resource.js'
import { VERSION } from '#dist/core/version.js'

const plain = { serviceName: undefined, resourceAttributes: {} }

describe('the resource', () => {
  it('describes the process by the semantic conventions', () => {
    const attributes = resourceAttributes(plain)
    assert.equal(
      attributes['service.name'],
      `unknown_service:${basename(process.execPath).replace(/\.exe$/i, '')}`,
    )
    assert.equal(attributes['process.pid'], process.pid)
    assert.equal(attributes['process.runtime.version'], process.versions.node)
    assert.match(
      String(attributes['service.instance.id']),
      /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
    )
    assert.notEqual(attributes['service.instance.id'], resourceAttributes(plain)['service.instance.id'])
    assert.equal(attributes['telemetry.distro.name'], 'threadspan')
  })

  it('holds neither arguments nor paths nor the user', () => {
    const text = JSON.stringify(resourceAttributes(plain))
    for (const secret of [...process.argv.slice(1), process.execPath, process.cwd()]) {
      assert.ok(!text.includes(secret), secret)
    }
  })

  it('puts what the user says first', () => {
    const attributes = resourceAttributes({
      serviceName: 'checkout',
      resourceAttributes: {
        'service.name': 'other',
        'host.name': 'h',
        'deployment.environment.name': 'test',
      },
    })
    assert.equal(attributes['service.name'], 'checkout')
    assert.equal(attributes['host.name'], 'h')
    assert.equal(attributes['deployment.environment.name'], 'test')
    const other = resourceAttributes({ ...plain, resourceAttributes: { 'service.name': 'other' } })
    assert.equal(other['service.name'], 'other')
  })

  it('takes the version from the nearest package.json that has one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'threadspan-resource-'))
    mkdirSync(join(folder, 'dist'))
    writeFileSync(join(folder, 'package.json'), '{"version":"4.5.6"}')
    writeFileSync(join(folder, 'dist', 'package.json'), '{"type":"commonjs"}')
    const version = (main: string) => resourceAttributes(plain, join(folder, main))['service.version']
    assert.equal(version('dist/app.js'), '4.5.6')
    assert.equal(version('nowhere/app.js'), '4.5.6')
    writeFileSync(join(folder, 'dist', 'package.json'), '{')
    assert.equal(version('dist/app.js'), undefined)
    rmSync(folder, { recursive: true })
  })

  it('has the version of the package', () => {
    assert.equal(VERSION, JSON.parse(readFileSync('package.json', 'utf8')).version)
  })
})

describe('containerId', () => {
  const id = 'a1'.repeat(32)

  it('finds it in control groups of version 1', () => {
    for (const path of [
      `/docker/${id}`,
      `/kubepods/besteffort/pod1/${id}`,
      `/system.slice/docker-${id}.scope`,
      `/cri:${id}`,
    ]) {
      assert.equal(containerId(`12:cpu:/\n11:memory:${path}\n`, ''), id)
    }
  })

  it('finds it in the mounts of version 2', () => {
    const mounts = (path: string) =>
      `600 500 0:1 / /proc rw - proc proc rw\n611 600 8:1 ${path} /etc/hostname rw - ext4 /dev/sda rw\n`
    assert.equal(containerId('0::/\n', mounts(`/var/lib/docker/containers/${id}/hostname`)), id)
    assert.equal(containerId('0::/\n', mounts(`/storage/overlay-containers/${id}/userdata/hostname`)), id)
  })

  it('finds none outside of containers', () => {
    assert.equal(containerId('0::/user.slice/user-1000.slice/session-2.scope\n', 'x'), undefined)
    assert.equal(containerId('', ''), undefined)
  })
})
