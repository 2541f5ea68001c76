import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runProgram } from '../support/program.js'
import { compile } from './compile.js'

describe('decorators, compiled by tsc', () => {
  for (const [helpers, flags] of Object.entries({ inlined: [], tslib: ['--importHelpers'] })) {
    for (const [file, more] of Object.entries({ standard: [], legacy: ['--experimentalDecorators'] })) {
      it(`${file}, helpers ${helpers}`, async () => {
        const program = await compile(`${file}-${helpers}`, file, [...flags, ...more])
        const { code, stdout, stderr } = await runProgram(program)
        assert.deepEqual([code, stdout, stderr], [0, `ok ${file}\n`, ''])
      })
    }
  }

  for (const [form, flags] of Object.entries({ standard: [], legacy: ['--experimentalDecorators'] })) {
    it(`${form}, decorators over decorators on instance, static, inherited and overridden methods`, async () => {
      const { code, stdout, stderr } = await runProgram(await compile(`matrix-${form}`, 'matrix', flags))
      assert.deepEqual([code, stdout, stderr], [0, 'ok matrix\n', ''])
    })
  }

  it('legacy, with the metadata that the compiler emits', async () => {
    const flags = ['--experimentalDecorators', '--emitDecoratorMetadata']
    const { code, stdout, stderr } = await runProgram(await compile('legacy-metadata', 'legacy', flags))
    assert.deepEqual([code, stdout, stderr], [0, 'ok legacy\n', ''])
  })
})
