import { join } from 'node:path';
import { looksAsExpected, tracePiscinaInternals } from './piscina-internals.js';
import { tracedRun } from './piscina-run.js';
import { replace } from './replace.js';
import { sharedPools } from './shared.js';
const shimOf = ({ folder }) => join(folder, 'piscina-task.cjs');
/**
 * An own export, if there is one. A module that is still being loaded warns when it is asked for an export that it does not
 * have, so nothing else may be asked.
 */
function ownExport(exports, name) {
    if (typeof exports !== 'object' || exports === null || !Object.hasOwn(exports, name))
        return undefined;
    return exports[name];
}
function isPiscinaClass(value) {
    if (typeof value !== 'function')
        return false;
    const { prototype } = value;
    return (typeof prototype === 'object' &&
        prototype !== null &&
        Object.hasOwn(prototype, 'run') &&
        Object.hasOwn(prototype, 'destroy') &&
        Object.hasOwn(prototype, 'threads') &&
        Object.hasOwn(value, 'isWorkerThread'));
}
/** The Piscina class that a pool is made by, at whatever remove. */
function classOf(pool) {
    for (let proto = Object.getPrototypeOf(pool); proto !== null; proto = Object.getPrototypeOf(proto)) {
        if (isPiscinaClass(proto.constructor))
            return proto.constructor;
    }
    return undefined;
}
function traceInternals({ parent, exports }, host) {
    const parts = {
        // Both have been loaded by now; this only looks them up.
        taskQueue: parent.require('./task_queue'),
        errors: parent.require('./errors'),
        workerPool: exports,
    };
    if (!looksAsExpected(parts))
        return;
    tracePiscinaInternals(parts, host.tracing, shimOf(host));
    sharedPools().traced.set(exports, undefined);
}
function internalsAreTraced({ parent }) {
    try {
        return sharedPools().traced.has(parent.require('./worker_pool'));
    }
    catch {
        return false;
    }
}
/**
 * Piscina (https://github.com/piscinajs/piscina).
 *
 * With the preload, pools are traced inside the library (see `tracePiscinaInternals`); a copy that is built in another way
 * than is known has its `Piscina.prototype.run` wrapped. CommonJS and ES module users come through the same files.
 */
export const piscina = {
    name: 'piscina',
    requests: ['./worker_pool', './index'],
    loaded(module, host) {
        const { request, exports } = module;
        const { traced } = sharedPools();
        if (request === './worker_pool') {
            if (typeof ownExport(exports, 'WorkerInfo') !== 'function' || traced.has(exports))
                return;
            traceInternals(module, host);
            return;
        }
        const Piscina = ownExport(exports, 'Piscina');
        if (!isPiscinaClass(Piscina) || traced.has(Piscina))
            return;
        traced.set(Piscina, undefined);
        if (internalsAreTraced(module))
            return;
        replace(Piscina.prototype, 'run', tracedRun(Piscina.prototype.run, host, shimOf(host)));
    },
    accepts(pool) {
        return classOf(pool) !== undefined;
    },
    trace(pool, host) {
        const { traced } = sharedPools();
        if (traced.has(classOf(pool)) || traced.has(pool))
            return;
        const holder = pool;
        const before = Object.getOwnPropertyDescriptor(pool, 'run');
        const run = tracedRun(holder.run, host, shimOf(host));
        Object.defineProperty(pool, 'run', { value: run, writable: true, configurable: true, enumerable: false });
        traced.set(pool, () => {
            // Whoever replaced `run` after us keeps what they did.
            if (holder.run !== run)
                return;
            if (before === undefined)
                Reflect.deleteProperty(pool, 'run');
            else
                Object.defineProperty(pool, 'run', before);
        });
    },
    untrace(pool) {
        const { traced } = sharedPools();
        traced.get(pool)?.();
        traced.delete(pool);
    },
};
