// The table of docs/backends.md: what differs between what a backend gets of OpenTelemetry's SDK and of this package, and why.

/** The first that fits a span and a field tells why they differ. Without a field it is about a span that one side alone has. */
const REASONS = [
  [
    /^CLIENT \/stock\/worker|^SERVER \/stock\/worker/,
    undefined,
    'its call from a Worker begins a trace of its own',
  ],
  [
    /^CLIENT \/stock\/child|^SERVER \/stock\/child/,
    undefined,
    'its call from a child process begins a trace of its own',
  ],
  [/^INTERNAL spawn/, undefined, 'a child process is a part of the request'],
  [
    /^INTERNAL (?:middleware|request handler)/,
    undefined,
    'the route names the transaction; a span for each function of a router tells nothing of time',
  ],
  [/^INTERNAL tcp/, undefined, 'sockets are not followed: the CLIENT span has the time'],
  [/./, /^parent$/, 'follows from the spans that one side alone has'],
  [/./, /^scope$/, 'one recorder; which library was followed, the attributes tell'],
  [/./, /^flags$/, 'trace ids are random, and say so (Trace Context Level 2)'],
  [/./, /^thread\./, 'where it ran: the lanes of the viewer'],
  [/./, /threadspan\.error\./, 'groups errors, by where they come from'],
  [
    /^SERVER/,
    /^(?:status|error\.type|event exception.*)$/,
    "the error that the handler threw is the transaction's; `500` is what is known without it",
  ],
  [/./, /^url\.(?:full|query)$/, 'values that look like secrets are not recorded'],
  [/^CLIENT/, /^url\.(?:path|scheme)$/, '`url.full` has it; opt-in by the conventions'],
  [/^CLIENT/, /^user_agent\.original$/, "the program's own; opt-in by the conventions"],
  [/^CLIENT/, /^http\.request\.method_original$/, 'by the conventions only where it differs from the method'],
  [/^CLIENT/, /^error\.type$/, 'the conventions ask for it where a call has failed'],
  [
    /^resource$/,
    /^process\.(?:command|command_args|executable\.path|owner)$/,
    'can hold secrets: arguments, users and their folders',
  ],
  [/^resource$/, /^host\.id$/, 'is confidential, says machine-id(5)'],
  [/^resource$/, /^service\.version$/, 'from the package.json of the program'],
  [/^resource$/, /^telemetry\./, 'who recorded it'],
]

function reasonOf(span, field) {
  const found = REASONS.find(
    ([spans, fields]) =>
      spans.test(span) && (field === undefined ? fields === undefined : fields?.test(field)),
  )
  if (found === undefined) throw new Error(`there is no reason for ${field ?? 'a span'} of ${span}`)
  return found[2]
}

/** @returns `{ spans, field, theirs, ours, why }` for each difference; those of several spans that are the same are one. */
export function differencesOf({ opentelemetry, threadspan }) {
  const rows = new Map()
  const add = (span, field, theirs, ours) => {
    const key = JSON.stringify(field === undefined ? [reasonOf(span), ours] : [field, theirs, ours])
    const row = rows.get(key) ?? { spans: [], field, theirs, ours, why: reasonOf(span, field) }
    row.spans.push(span)
    rows.set(key, row)
  }
  for (const span of Object.keys({ ...opentelemetry, ...threadspan }).sort()) {
    const [theirs, ours] = [opentelemetry[span], threadspan[span]]
    if (theirs === undefined || ours === undefined) {
      add(span, undefined, theirs === undefined ? undefined : 'yes', ours === undefined ? undefined : 'yes')
      continue
    }
    for (const field of Object.keys({ ...theirs, ...ours }))
      if (theirs[field] !== ours[field]) add(span, field, theirs[field], ours[field])
  }
  return [...rows.values()]
}

/** How many fields are the same on both sides. */
export function agreementOf({ opentelemetry, threadspan }) {
  const shared = Object.keys(threadspan).filter((span) => opentelemetry[span] !== undefined)
  const same = shared.flatMap((span) =>
    Object.keys(threadspan[span]).filter((field) => threadspan[span][field] === opentelemetry[span][field]),
  )
  return { spans: shared.filter((span) => span !== 'resource').length, fields: same.length }
}

const cell = (value) => (value === undefined ? '–' : value === '' ? 'empty' : `\`${value.toString()}\``)

/** The text between the two marks of the page. */
export function textOf(golden) {
  const { spans, fields } = agreementOf(golden)
  const { node, packages } = golden.made
  const lines = [
    `With Node ${node} and ${packages.join(', ')}: ${fields} fields are the same, of the ${spans} spans that both have and of the resource. The others:`,
    '',
    '| of | field | OpenTelemetry | threadspan | why |',
    '|---|---|---|---|---|',
  ]
  for (const { spans, field, theirs, ours, why } of differencesOf(golden)) {
    const of = spans.map((span) => (span === 'resource' ? span : `\`${span}\``)).join(', ')
    const [own, other] = field === undefined ? [ours ?? '–', theirs ?? '–'] : [cell(ours), cell(theirs)]
    lines.push(
      `| ${of} | ${field === undefined ? 'the span' : `\`${field}\``} | ${other} | ${own} | ${why} |`,
    )
  }
  return lines.join('\n')
}

export const BEGIN = '<!-- npm run test:backends -->'
export const END = '<!-- end -->'
