import { AsyncLocalStorage } from 'node:async_hooks';
import { context as contextApi, ROOT_CONTEXT } from '@opentelemetry/api';
import { contextWithValue } from './context.js';
import { bindEmitter, isEmitter } from './emitter.js';
let ensured = false;
/** For `AsyncLocalStorage.run`, which hands on arguments but no receiver; a shared function costs no closure for each call. */
function apply(fn, thisArg, args) {
    return fn.apply(thisArg, args);
}
/**
 * OpenTelemetry's `ContextManager` over one AsyncLocalStorage.
 *
 * The storage is made when a context other than the root first becomes active: on Node 20 one that ran turns `async_hooks` on
 * for the whole thread, and a program that makes no span shall not pay for it. A context is entered by `run` only, never by
 * `enterWith`: it cannot leak into the caller or into the next task of a pooled thread.
 */
export class ThreadContextManager {
    #storage;
    /** The current context; the API's `ROOT_CONTEXT` where there is none. */
    active() {
        const storage = this.#storage;
        return storage === undefined ? ROOT_CONTEXT : (storage.getStore() ?? ROOT_CONTEXT);
    }
    with(context, fn, thisArg, ...args) {
        let storage = this.#storage;
        if (storage === undefined) {
            if (context === ROOT_CONTEXT)
                return fn.apply(thisArg, args);
            storage = this.#storage = new AsyncLocalStorage();
        }
        if (thisArg !== undefined && thisArg !== null)
            return storage.run(context, apply, fn, thisArg, args);
        switch (args.length) {
            case 0:
                return storage.run(context, fn);
            case 1:
                return storage.run(context, fn, args[0]);
            case 2:
                return storage.run(context, fn, args[0], args[1]);
            default:
                return storage.run(context, fn, ...args);
        }
    }
    /**
     * `target` tied to `context`: a function gives a function that runs in it (same length and name), an EventEmitter is
     * given back itself, and runs listeners added from now on in it. Anything else comes back as it is.
     */
    bind(context, target) {
        if (typeof target === 'function')
            return this.#bindFunction(context, target);
        if (isEmitter(target))
            bindEmitter(target, (listener) => this.#bindFunction(context, listener));
        return target;
    }
    /** Nothing to do: the first `with` starts it. */
    enable() {
        return this;
    }
    /** Forgets every active context. A later `with` starts anew. */
    disable() {
        this.#storage?.disable();
        this.#storage = undefined;
        // The API forgets a manager that it disables: whoever needs one next asks again.
        ensured = false;
        return this;
    }
    #bindFunction(context, target) {
        const manager = this;
        const bound = function (...args) {
            return manager.with(context, apply, undefined, target, this, args);
        };
        Object.defineProperty(bound, 'length', { value: target.length, configurable: true });
        Object.defineProperty(bound, 'name', { value: target.name, configurable: true });
        return bound;
    }
}
/**
 * Registers a {@link ThreadContextManager} unless the application has a context manager already.
 *
 * Asks by trying one out, so that an SDK's is seen whichever copy of the API it came through, and nothing is logged.
 *
 * @returns whether contexts are managed from now on.
 */
export function ensureContextManager() {
    if (ensured)
        return true;
    const probe = contextWithValue(ROOT_CONTEXT, Symbol('threadspan probe'), true);
    ensured =
        contextApi.with(probe, () => contextApi.active() === probe) ||
            contextApi.setGlobalContextManager(new ThreadContextManager());
    return ensured;
}
