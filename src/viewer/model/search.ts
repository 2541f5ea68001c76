import { CLOSED, CYCLE, ERROR, ORPHAN, type Trace } from './trace.js'

/** Words with a meaning of their own in a search, and the flags that they ask for. */
const FLAG_WORDS: Readonly<Record<string, number>> = {
  'is:error': ERROR,
  'is:orphan': ORPHAN,
  'is:closed': CLOSED,
  'is:cycle': CYCLE,
}

/**
 * Spans in which every word of the query occurs, in order of their index: in the name, the label, the thread, the service
 * or the id, whatever the case. `is:error`, `is:orphan`, `is:closed`, `is:cycle` and `is:waiting` look at the state.
 * An empty query finds nothing.
 */
export function search(trace: Trace, query: string): Int32Array {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return new Int32Array(0)
  const found = new Int32Array(trace.size)
  const tests = words.map((word) => tester(trace, word))
  let count = 0
  for (let i = 0; i < trace.size; i++) {
    if (tests.every((test) => test(i))) found[count++] = i
  }
  return found.subarray(0, count)
}

function tester(trace: Trace, word: string): (span: number) => boolean {
  const flag = FLAG_WORDS[word]
  if (flag !== undefined) return (span) => (trace.flags[span]! & flag) !== 0
  if (word === 'is:waiting') return (span) => trace.wait[span]! > 0
  // Strings and threads are few and spans are many: each is looked at once.
  const strings = trace.strings.map((text) => text.toLowerCase().includes(word))
  const threads = trace.threads.map(({ label, process }) => {
    const { service = '', label: processLabel = '' } = trace.processes[process] ?? {}
    return `${label}\n${processLabel}\n${service}`.toLowerCase().includes(word)
  })
  return (span) =>
    strings[trace.name[span]!] === true ||
    strings[trace.label[span]!] === true ||
    threads[trace.thread[span]!] === true ||
    trace.ids[span]!.startsWith(word)
}
