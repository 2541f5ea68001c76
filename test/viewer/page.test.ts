import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { it } from 'node:test'

import { policyFor } from '#dist/viewer/page.js'

const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

it('the policy names exactly the scripts and styles of the page', () => {
  const html = '<style>a{}</style><script type="module">\r\nlet a = "<style>"\n</script><script>b</script >'
  const policy = policyFor(html)
  assert.ok(policy.includes(`script-src ${hash('\nlet a = "<style>"\n')} ${hash('b')};`))
  assert.ok(policy.includes(`style-src ${hash('a{}')}`))
})
