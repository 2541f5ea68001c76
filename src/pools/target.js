import { parse } from 'node:path';
/** Neither file names nor what people export under a name hold it. */
const SEPARATOR = '\0';
/** Programs that make up a file name for each task must not grow the table for ever. */
const MAX_TARGETS = 1000;
/** Remembers targets by file and name: nearly every task of a program has one of a handful. */
export class Targets {
    #files = new Map();
    #size = 0;
    #last = { filename: '', name: '', task: '', encoded: '' };
    /** The target for a file (path, file URL or module name) and the name of an export. */
    get(filename, name) {
        const last = this.#last;
        if (last.filename === filename && last.name === name)
            return last;
        let names = this.#files.get(filename);
        let target = names?.get(name);
        if (target === undefined) {
            if (++this.#size > MAX_TARGETS) {
                this.#files.clear();
                this.#size = 1;
                names = undefined;
            }
            if (names === undefined) {
                names = new Map();
                this.#files.set(filename, names);
            }
            target = makeTarget(filename, name);
            names.set(name, target);
        }
        this.#last = target;
        return target;
    }
}
function makeTarget(filename, name) {
    const file = parse(filename).name;
    return {
        filename,
        name,
        task: name === 'default' ? file : `${file}.${name}`,
        encoded: name + SEPARATOR + filename,
    };
}
