/**
 * What a pool adapter is, and what it asks for.
 *
 * An adapter knows how one pool library moves a task from the submitting thread to a worker and its outcome back. It knows
 * nothing of spans: what happens at each step is the `PoolTracing` it is handed. `test/contract/` holds every adapter to
 * the same cases.
 */
export {};
