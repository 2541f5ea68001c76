/** Names under which a line has the ids of what is current, and which its record says in another place. */
export const ID_FIELDS = [
  'trace_id',
  'span_id',
  'trace_flags',
  'trace.id',
  'span.id',
  'transaction.id',
] as const
