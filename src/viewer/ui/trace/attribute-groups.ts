/** Parts of a span's attributes in the order they are looked for, with the beginnings of the names that belong there. */
const GROUPS: readonly (readonly [string, readonly string[]])[] = [
  [
    'Request',
    [
      'http.request',
      'http.route',
      'http.method',
      'http.target',
      'http.url',
      'http.host',
      'http.scheme',
      'url.',
      'rpc.',
    ],
  ],
  ['Response', ['http.response', 'http.status_code', 'http.status', 'error.']],
  ['Database', ['db.']],
  ['Messaging', ['messaging.']],
  ['Exception', ['exception.']],
  [
    'Client and server',
    ['client.', 'server.', 'network.', 'net.', 'user_agent.', 'user.', 'enduser.', 'tls.', 'peer.'],
  ],
  ['Code and thread', ['code.', 'thread.', 'threadspan.', 'process.', 'host.', 'os.', 'container.', 'k8s.']],
]

/** Attributes by what they tell of; what belongs nowhere comes last. */
export function groupsOf(attributes: Readonly<Record<string, unknown>>): [string, Record<string, unknown>][] {
  const own: Record<string, unknown> = Object.create(null)
  const groups = new Map<string, Record<string, unknown>>()
  for (const [title] of GROUPS) groups.set(title, Object.create(null))
  for (const name of Object.keys(attributes).sort()) {
    const group = GROUPS.find(([, beginnings]) => beginnings.some((beginning) => name.startsWith(beginning)))
    const into = group === undefined ? own : groups.get(group[0])!
    into[name] = attributes[name]
  }
  return [...groups, ['Other', own] as [string, Record<string, unknown>]].filter(
    ([, of]) => Object.keys(of).length > 0,
  )
}
