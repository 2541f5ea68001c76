/** Programs that are configured from afar, and servers that do so. */
import { type ChildProcess, fork } from 'node:child_process'
import { Agent, get } from 'node:http'
import { createRequire } from 'node:module'
import { fixture, PRELOAD } from '../support/program.js'

const require = createRequire(import.meta.url)

interface Status {
  readonly status: number
  readonly errorMessage: string
  readonly lastRemoteConfigHash: Uint8Array
}

interface ConfigFile {
  readonly body: Uint8Array
  readonly contentType: string
}

export interface AgentToServer {
  readonly instanceUid: Uint8Array
  readonly sequenceNum: bigint
  readonly capabilities: bigint
  readonly agentDescription?: {
    identifyingAttributes: { key: string; value: { value: { value: unknown } } }[]
  }
  readonly remoteConfigStatus?: Status
  readonly effectiveConfig?: { configMap: { configMap: Record<string, ConfigFile> } }
  readonly agentDisconnect?: object
}

interface MockServer {
  readonly endpoint: string
  start(): Promise<void>
  close(): Promise<void>
  setAgentConfigMap(map: { configMap: Record<string, ConfigFile> }): void
  testGetRequests(): { a2s?: AgentToServer; err?: Error }[]
  readonly _server: { closeAllConnections(): void }
}

/** Elastic's server for tests of OpAMP. */
export class OpampServer {
  private constructor(private readonly mock: MockServer) {}

  static async start(port = 0, badMode?: string): Promise<OpampServer> {
    const { MockOpAMPServer } = require('@elastic/mockopampserver') as {
      MockOpAMPServer: new (options: object) => MockServer
    }
    const mock = new MockOpAMPServer({
      logLevel: 'fatal',
      hostname: '127.0.0.1',
      port,
      testMode: true,
      badMode,
    })
    await mock.start()
    return new OpampServer(mock)
  }

  get endpoint(): string {
    return this.mock.endpoint
  }

  get messages(): AgentToServer[] {
    return this.mock.testGetRequests().flatMap(({ a2s }) => a2s ?? [])
  }

  /** Requests that were none. */
  get errors(): Error[] {
    return this.mock.testGetRequests().flatMap(({ err }) => err ?? [])
  }

  /** Offers settings, as an object or as text; undefined offers none. @returns what the agent reports of them. */
  async offer(
    settings: object | string | undefined,
    name = 'elastic',
    contentType = 'application/json',
  ): Promise<Status> {
    const body = Buffer.from(typeof settings === 'string' ? settings : JSON.stringify(settings ?? {}))
    const before = this.messages.length
    this.mock.setAgentConfigMap({
      configMap: settings === undefined ? {} : { [name]: { body, contentType } },
    })
    const hash = (this.mock as unknown as { _agentConfigMapHash: Uint8Array })._agentConfigMapHash
    return until(() =>
      this.messages
        .slice(before)
        .map(({ remoteConfigStatus }) => remoteConfigStatus)
        .find((status) => status !== undefined && Buffer.compare(status.lastRemoteConfigHash, hash) === 0),
    )
  }

  /** The settings that hold, as the agent has reported them last. */
  get effective(): Record<string, unknown> {
    const last = this.messages.findLast(({ effectiveConfig }) => effectiveConfig !== undefined)
    const files = Object.values(last?.effectiveConfig?.configMap.configMap ?? {})
    return JSON.parse(Buffer.from(files[0]?.body ?? '{}').toString()) as Record<string, unknown>
  }

  async close(): Promise<void> {
    this.mock._server.closeAllConnections()
    await this.mock.close()
  }
}

/** Waits for something to be there. */
export async function until<T>(
  get: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  for (let i = 0; i < 2400; i++) {
    const value = await get()
    if (value !== undefined && value !== false) return value
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('it did not come')
}

/** A running `test/fixtures/central/service.cjs`. */
export class Service {
  stderr = ''
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 8 })

  private constructor(
    private readonly child: ChildProcess,
    private readonly port: number,
  ) {
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
  }

  static async start(env: Record<string, string>): Promise<Service> {
    const own = Object.entries(process.env).filter(([name]) => !/^(OTEL_|THREADSPAN_|ELASTIC_)/.test(name))
    const child = fork(fixture('central/service.cjs'), {
      execArgv: ['--require', PRELOAD],
      env: { ...Object.fromEntries(own), OTEL_SERVICE_NAME: 'central', ...env },
      silent: true,
    })
    const port = await new Promise<number>((ready) =>
      child.once('message', (message) => ready(message as number)),
    )
    return new Service(child, port)
  }

  get pid(): number {
    return this.child.pid!
  }

  ask<T = unknown>(command: string, argument?: unknown): Promise<T> {
    return new Promise((answered) => {
      this.child.once('message', (message) => answered(message as T))
      this.child.send([command, argument])
    })
  }

  async request(path: string, headers: Record<string, string> = {}): Promise<void> {
    const { agent, port } = this
    await new Promise((done, failed) => {
      get({ host: '127.0.0.1', port, path, agent, headers }, (response) =>
        response.resume().on('end', done),
      ).on('error', failed)
    })
  }

  /** Some at a time. */
  async requests(count: number, path: string): Promise<void> {
    let left = count
    const next = async (): Promise<void> => {
      while (left-- > 0) await this.request(path)
    }
    await Promise.all(Array.from({ length: 8 }, next))
  }

  /** Lines of stderr with a code. */
  lines(code: string): string[] {
    return this.stderr.split('\n').filter((line) => line.endsWith(`(${code})`))
  }

  async end(): Promise<number | null> {
    this.agent.destroy()
    const exited = new Promise<number | null>((ended) => this.child.once('exit', ended))
    this.child.send(['end'])
    return exited
  }
}
