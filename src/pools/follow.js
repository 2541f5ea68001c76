import Module from 'node:module';
import { piscina } from './piscina.js';
import { replace } from './replace.js';
import { providePoolTracing, sharedPools } from './shared.js';
/** Every pool library that is known. */
export const adapters = [piscina];
/**
 * Makes the pools of every known library traced as the application loads it. Once per thread; later calls do nothing.
 *
 * The modules are seen in `Module._load`, through which the files of a CommonJS package load each other, also when the
 * application imports the package as an ES module. Every other `require` costs one look-up in a small Map.
 */
export function followPools(host) {
    providePoolTracing(host.tracing);
    const { watched } = sharedPools();
    const listeners = new Map();
    for (const adapter of adapters) {
        if (watched.has(adapter.name))
            continue;
        watched.add(adapter.name);
        for (const request of adapter.requests) {
            listeners.set(request, [...(listeners.get(request) ?? []), adapter]);
        }
    }
    if (listeners.size === 0)
        return;
    const loader = Module;
    const load = loader._load;
    replace(loader, '_load', function (request, parent, isMain) {
        const exports = load.call(this, request, parent, isMain);
        const interested = listeners.get(request);
        if (interested !== undefined && parent)
            notify(interested, { request, exports, parent }, host);
        return exports;
    });
}
function notify(interested, module, host) {
    for (const adapter of interested) {
        try {
            adapter.loaded(module, host);
        }
        catch (error) {
            host.warn('THREADSPAN_POOL_UNTRACED', `Pools of ${adapter.name} are not traced: ${String(error)}`);
        }
    }
}
