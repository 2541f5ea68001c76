import { replace } from './replace.js';
import { Targets } from './target.js';
/** Errors by which `run()` turns a task away that it has just made, without a word to the task. */
const REFUSALS = ['TaskQueueAtLimit', 'NoTaskQueueAvailable'];
const method = (holder, name) => typeof Object.getOwnPropertyDescriptor(holder ?? {}, name)?.value === 'function';
/**
 * Whether a copy of Piscina is built the way `tracePiscinaInternals` needs. Asked of the code itself, not of a version:
 * a task is posted over a port that only pretends, and the message is looked at.
 */
export function looksAsExpected(parts) {
    try {
        const { TaskInfo } = parts.taskQueue;
        const { WorkerInfo } = parts.workerPool;
        const expected = Object.getOwnPropertyDescriptor(parts.taskQueue, 'TaskInfo')?.writable === true &&
            method(TaskInfo.prototype, 'done') &&
            method(TaskInfo.prototype, 'onAbort') &&
            method(TaskInfo.prototype, 'releaseTask') &&
            method(WorkerInfo.prototype, 'postTask') &&
            REFUSALS.every((name) => method(parts.errors.Errors, name));
        return expected && postsAsExpected(WorkerInfo.prototype.postTask);
    }
    catch {
        return false;
    }
}
function postsAsExpected(postTask) {
    let posted = {};
    const port = {
        postMessage(message) {
            posted = message;
        },
    };
    const workerInfo = {
        taskInfos: new Map(),
        terminating: false,
        destroyed: false,
        histogram: null,
        port,
        sharedBuffer: new Int32Array(new SharedArrayBuffer(8)),
        clearIdleTimeout() { },
        ref() { },
    };
    const task = {};
    const taskInfo = {
        taskId: 1,
        task,
        filename: 'file',
        name: 'name',
        transferList: [],
        releaseTask: () => task,
    };
    postTask.call(workerInfo, taskInfo);
    return posted['task'] === task && posted['filename'] === 'file' && posted['name'] === 'name';
}
/**
 * Makes every pool of one copy of Piscina traced, past and future ones.
 *
 * Only the message to the worker differs: it names a file of ours as the handler's, and the task travels beside the wire
 * data. Queues, load balancers and histograms see the task as it is, and the promise of `run()` is Piscina's own: the end of
 * a task is seen where Piscina settles that promise, so no promise is added and unhandled rejections stay what they are.
 *
 * @param shim Absolute path of `piscina-task.cjs`.
 */
export function tracePiscinaInternals(parts, tracing, shim) {
    const targets = new Targets();
    const Base = parts.taskQueue.TaskInfo;
    /** The task that `run()` made last, as long as it may still turn it away. */
    let latest;
    let refuse;
    let disguise;
    class TracedTaskInfo extends Base {
        #submission;
        #target;
        constructor(options, callback) {
            super(options, callback);
            latest = undefined;
            if (typeof this.filename !== 'string' || typeof this.name !== 'string')
                return;
            const target = targets.get(this.filename, this.name);
            const submission = tracing.submit('piscina', target.task);
            if (submission === undefined)
                return;
            this.#target = target;
            this.#submission = submission;
            if (this.abortSignal?.aborted)
                this.#fail(undefined, 'abort');
            else
                latest = this;
        }
        onAbort(listener) {
            super.onAbort(() => {
                this.#fail(undefined, 'abort');
                listener();
            });
        }
        done(error, result) {
            const submission = this.#submission;
            if (submission !== undefined) {
                if (error !== null)
                    this.#fail(error, this.#originOf(error));
                else {
                    this.#submission = undefined;
                    tracing.settle(submission);
                }
            }
            super.done(error, result);
        }
        #fail(error, origin) {
            const submission = this.#submission;
            if (submission === undefined)
                return;
            this.#submission = undefined;
            tracing.fail(submission, error, origin);
        }
        #originOf(error) {
            const worker = this.workerInfo;
            if (worker !== null)
                return worker.terminating || worker.destroyed ? 'pool' : 'handler';
            return error instanceof Error && error.name === 'AbortError' ? 'abort' : 'pool';
        }
        static {
            refuse = (error) => {
                if (latest !== undefined)
                    latest.#fail(error, 'pool');
            };
            disguise = (taskInfo) => {
                if (latest === taskInfo)
                    latest = undefined;
                if (!(#submission in taskInfo) || taskInfo.#submission === undefined)
                    return undefined;
                const target = taskInfo.#target;
                taskInfo.task = [tracing.wire(taskInfo.#submission), taskInfo.task];
                taskInfo.filename = shim;
                taskInfo.name = target.encoded;
                return target;
            };
        }
    }
    Object.defineProperty(TracedTaskInfo, 'name', { value: Base.name });
    parts.taskQueue.TaskInfo = TracedTaskInfo;
    const { prototype } = parts.workerPool.WorkerInfo;
    const { postTask } = prototype;
    replace(prototype, 'postTask', function (taskInfo) {
        const target = disguise(taskInfo);
        try {
            postTask.call(this, taskInfo);
        }
        finally {
            if (target !== undefined) {
                taskInfo.filename = target.filename;
                taskInfo.name = target.name;
            }
        }
    });
    for (const name of REFUSALS) {
        const make = parts.errors.Errors[name];
        replace(parts.errors.Errors, name, function (...args) {
            const error = make(...args);
            refuse(error);
            return error;
        });
    }
}
