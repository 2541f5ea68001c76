/** Kinds of spans as text, by their number. */
export const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer']
