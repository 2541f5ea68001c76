const KEY = Symbol.for('threadspan.pools.1');
/** The state of this thread; made at the first call. */
export function sharedPools() {
    const holder = globalThis;
    let shared = holder[KEY];
    if (shared === undefined) {
        shared = { tracing: undefined, watched: new Set(), traced: new WeakMap() };
        Object.defineProperty(globalThis, KEY, { value: shared });
    }
    return shared;
}
/** Sets what worker-side files call in this thread. The first one stays: the preload comes before everything else. */
export function providePoolTracing(tracing) {
    sharedPools().tracing ??= tracing;
}
