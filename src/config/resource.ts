import { readFileSync } from 'node:fs'
import { arch, hostname, platform, release } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { randomHex, randomWord } from '../core/ids.js'
import { VERSION } from '../core/version.js'
import { parsePairs } from './pairs.js'
import { type Environment, Variables } from './variables.js'

/** What the environment says of the resource. */
export interface ResourceConfig {
  /** `OTEL_SERVICE_NAME`. */
  readonly serviceName: string | undefined
  /** `OTEL_RESOURCE_ATTRIBUTES`. */
  readonly resourceAttributes: Readonly<Record<string, string>>
}

function readResourceAttributes(variables: Variables): Record<string, string> {
  const { entries, malformed } = parsePairs(variables.text('OTEL_RESOURCE_ATTRIBUTES') ?? '')
  const attributes: Record<string, string> = Object.create(null)
  if (malformed > 0) {
    // Resource SDK specification: "In case of any error ... the entire environment variable value SHOULD be discarded".
    variables.invalid(
      'OTEL_RESOURCE_ATTRIBUTES',
      `${malformed} ${malformed === 1 ? 'member is' : 'members are'} no "key=value", percent-encoded; none is used`,
    )
    return attributes
  }
  for (const [key, value] of entries) attributes[key] = value
  return attributes
}

/** Reads into `variables`, which gathers the warnings. */
export function resourceConfig(variables: Variables): ResourceConfig {
  return {
    serviceName: variables.text('OTEL_SERVICE_NAME'),
    resourceAttributes: readResourceAttributes(variables),
  }
}

/** For processes that need no more of the configuration. It is pure and never throws. */
export function readResourceConfig(env: Environment): ResourceConfig {
  return resourceConfig(new Variables(env))
}

/**
 * The attributes of this process's OTLP Resource, named by OpenTelemetry's semantic conventions (1.45). The names are
 * written out: the package that holds them is larger than all that a thread otherwise loads.
 */
export interface ResourceAttributes {
  [name: string]: string | number
}

/** Names that differ from Node's: semantic conventions, `host.arch` and `os.type`. */
const ARCHITECTURES: Record<string, string> = { x64: 'amd64', ia32: 'x86', arm: 'arm32', ppc: 'ppc32' }
const SYSTEMS: Record<string, string> = { win32: 'windows', sunos: 'solaris' }

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/**
 * The id of the container that a process runs in.
 * @param cgroup `/proc/self/cgroup`, where version 1 of Linux's control groups names it.
 * @param mountinfo `/proc/self/mountinfo`: with version 2 the host's name is a file of the container, mounted.
 */
export function containerId(cgroup: string, mountinfo: string): string | undefined {
  for (const line of cgroup.split('\n')) {
    const id = /(?:^|[/:-])([0-9a-f]{64})(?:\.scope)?$/.exec(line.trim())
    if (id !== null) return id[1]
  }
  for (const line of mountinfo.split('\n')) {
    const id = /containers\/([0-9a-f]{64})\/(?:\S*\/)?hostname /.exec(line)
    if (id !== null) return id[1]
  }
  return undefined
}

/** The version that the nearest package.json above a program's file gives; those that only set `type` have none. */
function packageVersion(main: string): string | undefined {
  for (let folder = dirname(main); ; folder = dirname(folder)) {
    const text = readText(join(folder, 'package.json'))
    try {
      const version: unknown = text === '' ? undefined : JSON.parse(text)?.version
      if (typeof version === 'string' && version !== '') return version
    } catch {
      return undefined
    }
    if (folder === dirname(folder)) return undefined
  }
}

/** A version 4 UUID (RFC 9562). It tells instances apart and guards nothing, so it need not cost loading `crypto`. */
function instanceId(): string {
  const variant = (8 + (randomWord() & 3)).toString(16)
  return `${randomHex(8)}-${randomHex(4)}-4${randomHex(3)}-${variant}${randomHex(3)}-${randomHex(12)}`
}

/**
 * What is known of this process. What the user says comes first: `OTEL_SERVICE_NAME`, then `OTEL_RESOURCE_ATTRIBUTES`,
 * then what is found here. Neither arguments nor the user's name nor the environment are in it: they can hold secrets.
 * @param main The path of the program's file, for `service.version`; a worker thread does not know it.
 */
export function resourceAttributes(
  config: ResourceConfig,
  main: string | undefined = process.argv[1],
): ResourceAttributes {
  const executable = basename(process.execPath)
  const attributes: ResourceAttributes = {
    // Semantic conventions: "unknown_service:" and the executable's name.
    'service.name': `unknown_service:${executable.replace(/\.exe$/i, '')}`,
    'service.instance.id': instanceId(),
    'process.pid': process.pid,
    'process.executable.name': executable,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
    'process.runtime.description': 'Node.js',
    'host.name': hostname(),
    'host.arch': ARCHITECTURES[arch()] ?? arch(),
    'os.type': SYSTEMS[platform()] ?? platform(),
    'os.version': release(),
    'telemetry.sdk.language': 'nodejs',
    // The name "opentelemetry" is reserved for OpenTelemetry's own SDK.
    'telemetry.sdk.name': 'threadspan',
    'telemetry.sdk.version': VERSION,
    'telemetry.distro.name': 'threadspan',
    'telemetry.distro.version': VERSION,
  }
  const version = main === undefined ? undefined : packageVersion(main)
  if (version !== undefined) attributes['service.version'] = version
  if (platform() === 'linux') {
    const id = containerId(readText('/proc/self/cgroup'), readText('/proc/self/mountinfo'))
    if (id !== undefined) attributes['container.id'] = id
  }
  Object.assign(attributes, config.resourceAttributes)
  if (config.serviceName !== undefined) attributes['service.name'] = config.serviceName
  return attributes
}
