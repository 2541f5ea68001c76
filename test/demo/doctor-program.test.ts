import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fixture, threadspan } from './cli.js'

const plain = fixture('doctor/plain.mjs')
/** Nothing listens there by chance: what the endpoint says is another test's. */
const env = { OTEL_TRACES_EXPORTER: 'none' }

describe('threadspan doctor script', () => {
  test('tells of each Worker and child whether it joined, and why not; of the pool; of spans that were lost', async () => {
    // Of its own: another test's doctor may be at work in the usual one.
    const folder = mkdtempSync(join(tmpdir(), 'threadspan test '))
    const { code, stdout, stderr } = await threadspan(
      ['doctor', fixture('doctor/everything.mjs'), '--for', 'me'],
      {
        env: {
          ...env,
          TMPDIR: folder,
          NODE_OPTIONS: `--require "${fixture('doctor/early.cjs')}"`,
          THREADSPAN_RING_SIZE: '65536',
        },
      },
    ).ended
    assert.equal(code, 1, stdout + stderr)
    const told = (line: RegExp) => assert.match(stdout, line)
    told(/^program: --for,me$/m)
    told(/· everything\.mjs ended with exit code 3 /)
    told(
      /✓ Followed in 6 threads of 2 processes: Workers, child processes, pools, http \(HTTP\/2 too\), undici, fastify, express, koa, hapi, pg, postgres, mysql2, ioredis, redis, mongodb, mariadb, sqlite, better-sqlite3, node-sqlite3-wasm, bullmq, amqplib, grpc, pino, winston, bunyan, hono, nestjs-core, h3, graphql, trpc, next; errors by context/,
    )
    told(/✓ piscina 5\.\S+: followed from inside/)
    told(/✓ @opentelemetry\/api 1\.9\./)

    told(/✓ 5 of 10 Workers joined: worker\.mjs ×3, \[eval\], worker\.js of piscina/)
    told(/✗ muted: no span is made, since OTEL_SDK_DISABLED is true/)
    told(/✗ everything\.mjs:\d+: a Worker that was made here is not followed/)
    told(/✗ worker\.mjs: ended with 1 \(MODULE_NOT_FOUND\) before the preload ran/)
    told(/· worker\.mjs: was terminated before/)
    told(/· worker\.mjs: could not be made: the constructor threw \(ERR_WORKER_INVALID_EXEC_ARGV\)/)
    told(/· worker\.js of thread-stream: left alone on purpose/)

    told(/✓ 1 of 7 child processes joined: node child\.mjs/)
    told(/· true: is not Node\.js/)
    told(/· sh: a shell, of which no Node\.js program joined.*env -i/)
    told(/· node: only printed a version/)
    told(/· node: left alone on purpose: .*permission model/)
    told(/✗ node: Node refused its arguments/)
    told(/· no-such-program: could not be started \(ENOENT\)/)

    told(/✗ 1 dropped \(too-large\): .*attributes/)
    told(/· \d+ spans? had not ended .*left open/)
    told(/· 1 span with a parent outside of the program, in its caller: GET \/from-outside/)
    told(/✗ Orphans, whose parent never arrived: lost child/)
    assert.doesNotMatch(stdout, /secret/)
    const left = readdirSync(folder).filter((name) => name.startsWith('threadspan-doctor-'))
    assert.deepEqual(left, [])
    rmSync(folder, { recursive: true })
  })

  test('a program in order has nothing to correct', async () => {
    const { code, stdout, stderr } = await threadspan(['doctor', plain], { env }).ended
    assert.equal(code, 0, stdout)
    assert.equal(stderr, '')
    assert.match(stdout, /✓ plain\.mjs ended with exit code 0/)
    assert.match(stdout, /✓ 1 span in 1 trace, all delivered/)
    assert.match(stdout, /✓ No orphans/)
    assert.match(stdout, /· No Worker was made/)
    assert.match(stdout, /· No child process was started/)
    assert.doesNotMatch(stdout, /✗/)
  })

  test('an orphan where nothing was dropped is told with where it may come from', async () => {
    const { code, stdout } = await threadspan(['doctor', plain, 'orphan'], { env }).ended
    assert.equal(code, 1, stdout)
    assert.match(stdout, /✗ Orphans, whose parent never arrived: lost child\. .*carrier that was kept/)
  })

  test("spans under those of the application's own SDK are no orphans to correct", async () => {
    const { code, stdout } = await threadspan(['doctor', fixture('doctor/sdk.mjs')], { env }).ended
    assert.equal(code, 0, stdout)
    assert.match(stdout, /· The application has registered an OpenTelemetry SDK of its own \(sdk\.mjs\)/)
    assert.match(stdout, /· Orphans, .*: in worker\. It may be a span of the application's own SDK/)
  })

  test('a program that never ends is ended after --for, or by the signal that comes first', async () => {
    const limited = await threadspan(['doctor', '--for', '1', plain, 'wait'], { env }).ended
    assert.equal(limited.code, 0, limited.stdout)
    assert.match(limited.stdout, /✓ plain\.mjs was watched for .*ended by us/)
    assert.match(limited.stdout, /✓ 1 span in 1 trace, all delivered/)

    const { child, ended } = threadspan(['doctor', plain, 'wait'], { env })
    child.stdout?.on('data', (chunk) => {
      if (String(chunk).includes('waiting')) child.kill('SIGINT')
    })
    const interrupted = await ended
    assert.equal(interrupted.code, 0, interrupted.stdout)
    assert.match(interrupted.stdout, /· plain\.mjs was ended by SIGINT/)
    assert.match(interrupted.stdout, /✓ 1 span in 1 trace, all delivered/)
  })

  test('a copy of the API that comes as ES modules is seen, in a Worker as well', async () => {
    const { code, stdout } = await threadspan(['doctor', fixture('doctor/es-module-api.mjs')], { env }).ended
    assert.equal(code, 0, stdout)
    assert.match(stdout, /✓ @opentelemetry\/api 1\.10\./)
  })

  test('a package that makes the same spans is a problem', async () => {
    const program = fixture('../sdk/two-agents.cjs')
    const { code, stdout } = await threadspan(['doctor', program], { env }).ended
    assert.equal(code, 1, stdout)
    assert.match(stdout, /✗ @opentelemetry\/instrumentation-http makes spans of what is followed already/)
    const { stdout: alone } = await threadspan(['doctor', program], {
      env: { ...env, OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'http' },
    }).ended
    assert.doesNotMatch(alone, /instrumentation-http/)
  })

  test('a program that is killed leaves what it had', async () => {
    const { stdout } = await threadspan(['doctor', plain, 'SIGKILL'], { env }).ended
    assert.match(stdout, /· plain\.mjs was ended by SIGKILL/)
    assert.match(stdout, /✓ 1 span in 1 trace, all delivered/)
  })

  test('what is left out, and what switches everything off, is told', async () => {
    const fewer = await threadspan(['doctor', plain], {
      env: { ...env, OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'fastify,http', THREADSPAN_ERRORS: 'domain' },
    }).ended
    assert.equal(fewer.code, 0, fewer.stdout)
    assert.match(
      fewer.stdout,
      /✓ Followed in 1 thread of 1 process: .*pools, undici, express, koa, hapi, pg, postgres, mysql2, ioredis, redis, mongodb, mariadb, sqlite, better-sqlite3, node-sqlite3-wasm, bullmq, amqplib, grpc, pino, winston, bunyan, hono, nestjs-core, h3, graphql, trpc, next; errors by domain/,
    )
    assert.match(fewer.stdout, /· Left out by OTEL_NODE_DISABLED_INSTRUMENTATIONS: http, fastify/)
    for (const variable of [{ OTEL_SDK_DISABLED: 'true' }, { OTEL_TRACES_SAMPLER: 'always_off' }]) {
      const { code, stdout } = await threadspan(['doctor', plain], { env: { ...env, ...variable } }).ended
      assert.equal(code, 1, stdout)
      assert.match(stdout, new RegExp(`✗ plain\\.mjs: no span is made, .*${Object.keys(variable)[0]}`))
      assert.match(stdout, /· No span was made/)
    }
  })

  test('a program in which nothing can be followed is told why', async () => {
    const command = await threadspan(['doctor', '--', 'true'], { env }).ended
    assert.equal(command.code, 1)
    assert.match(command.stdout, /✗ The program did not load the preload.*no Node\.js program/)
    const flag = process.allowedNodeEnvironmentFlags.has('--permission')
      ? '--permission'
      : '--experimental-permission'
    const restricted = [flag, '--allow-fs-read=*', plain]
    const { code, stdout } = await threadspan(['doctor', '--', process.execPath, ...restricted], { env })
      .ended
    assert.equal(code, 1)
    assert.match(stdout, /✗ The program runs under Node's permission model/)
  })

  test('a child whose Node is too old is told', async () => {
    const { code, stdout } = await threadspan(['doctor', fixture('doctor/old-child.mjs')], { env }).ended
    assert.equal(code, 1, stdout)
    assert.match(stdout, /✗ node child\.mjs: Node v\S+ is too old: 20\.19 is needed/)
  })

  test("copies of OpenTelemetry's API that do not work together are told", async () => {
    const folder = mkdtempSync(join(tmpdir(), 'threadspan-test-'))
    const copy = join(folder, 'node_modules/@opentelemetry/api')
    try {
      cpSync('node_modules/@opentelemetry/api', copy, { recursive: true, dereference: true })
      const description = JSON.parse(readFileSync(join(copy, 'package.json'), 'utf8'))
      writeFileSync(join(copy, 'package.json'), JSON.stringify({ ...description, version: '1.99.0' }))
      for (const [name, text] of [
        ['main.cjs', "require('@opentelemetry/api')"],
        ['main.mjs', "import '@opentelemetry/api'"],
      ] as const) {
        writeFileSync(join(folder, name), text)
        const { code, stdout } = await threadspan(['doctor', join(folder, name)], { env }).ended
        assert.equal(code, 1, stdout)
        assert.match(stdout, /✗ @opentelemetry\/api 1\.99\.0 does not know .* npm ls/)
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('what cannot be started, and a wrong command line, end as with run', async () => {
    const missing = await threadspan(['doctor', '--', 'no-such-program'], { env }).ended
    assert.equal(missing.code, 127)
    assert.match(missing.stderr, /no-such-program.*\(THREADSPAN_CLI_SPAWN\)/)
    for (const wrong of [['--for', '1'], ['--'], ['--for', 'ever', plain], ['--nonsense', plain]])
      assert.equal((await threadspan(['doctor', ...wrong], { env }).ended).code, 2, wrong.join(' '))
  })
})
