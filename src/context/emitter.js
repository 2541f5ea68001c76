import { EventEmitter } from 'node:events';
const binders = new WeakMap();
const ours = new WeakSet();
/** Whether `target` is one of Node's EventEmitters (or of a class made from it). */
export function isEmitter(target) {
    return target instanceof EventEmitter;
}
/**
 * Lets the listeners that are added to `emitter` from now on be bound by `bind`; a second call replaces the first one's `bind`.
 *
 * A bound listener carries the original in its `listener` property, as those of `once` do: by that Node itself finds it again
 * in `off`, `removeListener`, `listeners` and the `newListener` event, so that only the methods which add need a stand-in.
 */
export function bindEmitter(emitter, bind) {
    const known = binders.get(emitter);
    if (known !== undefined) {
        known.bind = bind;
        return;
    }
    if (!Object.isExtensible(emitter))
        return;
    const binder = { bind };
    binders.set(emitter, binder);
    const { on, addListener, prependListener } = emitter;
    define(emitter, 'on', adding(binder, on));
    define(emitter, 'addListener', adding(binder, addListener));
    define(emitter, 'prependListener', adding(binder, prependListener));
    define(emitter, 'once', addingOnce(binder, on));
    define(emitter, 'prependOnceListener', addingOnce(binder, prependListener));
}
function define(emitter, name, value) {
    Object.defineProperty(value, 'name', { value: name, configurable: true });
    Object.defineProperty(emitter, name, { value, configurable: true, writable: true, enumerable: false });
}
function mark(listener, original) {
    ours.add(listener);
    return Object.assign(listener, { listener: original });
}
function adding(binder, add) {
    return function (event, listener) {
        // One of ours arrives here when an emitter's `addListener` calls its `on`. What is no function is Node's to refuse.
        const foreign = typeof listener === 'function' && !ours.has(listener);
        return add.call(this, event, foreign ? mark(binder.bind(listener), listener) : listener);
    };
}
function addingOnce(binder, add) {
    return function (event, listener) {
        if (typeof listener !== 'function')
            return add.call(this, event, listener);
        const bound = binder.bind(listener);
        const emitter = this;
        const once = function (...args) {
            emitter.removeListener(event, once);
            return bound.apply(this, args);
        };
        return add.call(this, event, mark(once, listener));
    };
}
