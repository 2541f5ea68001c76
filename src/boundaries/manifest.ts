/** Names the variables that were added for a child: `{ [name]: [added value, the value before or null] }` in JSON. */
export const MANIFEST = 'THREADSPAN_ENVIRONMENT'
