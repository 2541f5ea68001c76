import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'

import { redisErrorCode, redisOperation } from '#dist/instrumentation/redis-command.js'

describe('what is shown of a command of Redis', () => {
  const text = (command: string, ...args: unknown[]) => redisOperation(command, args)?.text

  it('is its name, and what its key begins with', () => {
    assert.equal(text('get', 'session:SECRET'), 'GET session:?')
    assert.equal(text('SET', 'user:17:mail', 'SECRET', 'EX', 10), 'SET user:? ? ? ?')
    assert.equal(text('HSET', 'cart:1', 'SECRET', 'SECRET'), 'HSET cart:? ? ?')
    assert.equal(text('GET', 'SECRET'), 'GET ?')
    assert.equal(text('GET', Buffer.from('session:SECRET')), 'GET ?')
    assert.equal(text('json.get', 'SECRET'), 'JSON.GET ?')
    assert.equal(
      text('MGET', ...Array.from({ length: 50 }, (_, i) => `a:${i}`)),
      `MGET a:?${' ?'.repeat(9)} ...`,
    )
  })

  it('is nothing of what has no key in the first place, and none at all of what sets a connection up', () => {
    for (const command of ['EVAL', 'CONFIG', 'PUBLISH', 'MIGRATE', 'UNKNOWN'])
      assert.equal(text(command, 'a:SECRET'), `${command} ?`)
    for (const command of ['AUTH', 'HELLO', 'CLIENT', 'READONLY'])
      assert.equal(redisOperation(command, ['SECRET']), undefined)
    assert.equal(redisOperation('what is\nthis', [])?.name, '_OTHER')
  })

  it('is short, and never an argument, whatever those are', () => {
    const secret = 'SECRETSECRET'
    fc.assert(
      fc.property(
        fc.string({ maxLength: 20 }),
        fc.array(fc.anything(), { maxLength: 20 }),
        (command, args) => {
          const shown = redisOperation(command, [...args, secret, `${secret}`])
          assert.ok(!JSON.stringify(shown ?? '').includes(secret))
          assert.ok((shown?.text ?? '').length < 200)
        },
      ),
    )
  })

  it('is of an error its code alone', () => {
    assert.equal(redisErrorCode(new Error('WRONGTYPE Operation against a key')), 'WRONGTYPE')
    assert.equal(redisErrorCode(new Error('ERR unknown command')), 'ERR')
    assert.equal(redisErrorCode(new Error('Connection is closed.')), undefined)
    assert.equal(redisErrorCode(Object.create(null)), undefined)
  })
})
