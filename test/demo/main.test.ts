import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { threadspan } from './cli.js'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

test('help and version are told on standard output', async () => {
  const help = await threadspan(['--help']).ended
  assert.equal(help.code, 0)
  for (const command of ['run', 'view', 'demo', 'doctor'])
    assert.match(help.stdout, new RegExp(`^ {2}${command} `, 'm'))
  assert.deepEqual(await threadspan(['--version']).ended, {
    code: 0,
    signal: null,
    stdout: `${version}\n`,
    stderr: '',
  })
  for (const command of ['run', 'view', 'demo', 'doctor']) {
    const { code, stdout } = await threadspan([command, '--help']).ended
    assert.equal(code, 0)
    assert.match(stdout, new RegExp(`^Usage: threadspan ${command}`))
  }
})

const wrong: [string[], RegExp][] = [
  [[], /^Usage/],
  [['nothing'], /no command "nothing".*\(THREADSPAN_CLI_USAGE\)/],
  [['toString'], /no command "toString".*\(THREADSPAN_CLI_USAGE\)/],
  [['run'], /nothing to run.*\(THREADSPAN_CLI_USAGE\)/],
  [['run', '--colour', 'x.js'], /--colour.*\(THREADSPAN_CLI_USAGE\)/],
  [['demo', '--rounds', '0'], /--rounds.*1 to 1000.*\(THREADSPAN_CLI_USAGE\)/],
  [['demo', 'extra'], /extra.*\(THREADSPAN_CLI_USAGE\)/],
  [['doctor', '--fix'], /--fix.*\(THREADSPAN_CLI_USAGE\)/],
]

test('a call that makes no sense ends with 2 and a code', async () => {
  for (const [argv, message] of wrong) {
    const { code, stdout, stderr } = await threadspan(argv).ended
    assert.equal(code, 2, argv.join(' '))
    assert.match(stdout + stderr, message)
  }
})
