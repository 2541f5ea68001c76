import { count } from '../core/counters.js';
/** What a value may take, in characters and bytes; each object and number counts for eight. */
const MAX_SIZE = 65_536;
/**
 * A copy of `value` that gets through `form` whole, and that later changes of the original do not reach.
 *
 * @returns undefined, and counts `value.size` or `value.plain`, where there is none. Never throws.
 */
export function toPlain(value, form) {
    try {
        if (measure(value, MAX_SIZE, undefined) < 0) {
            count('value.size');
            return undefined;
        }
        if (typeof value === 'object' && value !== null) {
            return form === 'clone' ? structuredClone(value) : JSON.parse(JSON.stringify(value));
        }
        const simple = typeof value === 'string' || typeof value === 'boolean' || value === null;
        if (simple || (typeof value === 'number' && (form === 'clone' || Number.isFinite(value))))
            return value;
        if (typeof value === 'bigint' && form === 'clone')
            return value;
    }
    catch {
        // A function or a handle inside, a cycle or a bigint in JSON, a getter that throws: counted as the rest.
    }
    count('value.plain');
    return undefined;
}
/** What is left of `budget` after `value`; below zero as soon as it is exceeded, so that a huge value costs no more than the limit. */
function measure(value, budget, seen) {
    if (typeof value === 'string')
        return budget - value.length;
    if (typeof value !== 'object' || value === null)
        return budget - 8;
    if (seen?.has(value))
        return budget - 8;
    let left = budget - 8;
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
        return left - value.byteLength;
    const visited = seen ?? new Set();
    visited.add(value);
    if (value instanceof Map || value instanceof Set) {
        for (const [key, item] of value.entries()) {
            left = measure(item, measure(key, left, visited), visited);
            if (left < 0)
                return left;
        }
    }
    for (const key in value) {
        left = measure(value[key], left - key.length, visited);
        if (left < 0)
            return left;
    }
    return left;
}
