import assert from 'node:assert/strict'
// #region right
import { Piscina } from 'piscina'
import { start, tracePool, withTransaction } from 'threadspan'

start()
const filename = new URL('./resize.mjs', import.meta.url).href
const pool = tracePool(new Piscina({ filename }))

const small = await withTransaction('thumbnails', () =>
  Promise.all(['a.png', 'b.png'].map((file) => pool.run(file))),
)
await pool.close()
// #endregion
assert.deepEqual(small, ['small a.png', 'small b.png'])
const plain = new Piscina({ filename: new URL('./resize-plain.mjs', import.meta.url).href })
assert.equal(await plain.run('c.png'), 'small c.png')
await plain.close()
