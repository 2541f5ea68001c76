import { effect } from '@preact/signals'
import type { TraceSearch } from '../../api.js'
import { parseQuery } from '../../query.js'
import { RequestError, request } from '../client.js'
import type { TraceView } from './view.js'

/** Milliseconds without a key before the server is asked. */
const PAUSE = 120

/**
 * Keeps the matches of a view to its query. The server looks for them: it has the attributes, events and resources, the page does not.
 * @returns ends it.
 */
export function followQuery(view: TraceView): () => void {
  return effect(() => {
    const query = view.query.value.trim()
    const [problem = ''] = parseQuery(query).problems
    view.problem.value = problem
    if (query === '' || problem !== '') {
      view.matches.value = new Int32Array(0)
      view.isFinding.value = false
      return
    }
    view.isFinding.value = true
    const abort = new AbortController()
    const timer = setTimeout(() => void find(view, query, abort.signal), PAUSE)
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  })
}

async function find(view: TraceView, query: string, signal: AbortSignal): Promise<void> {
  try {
    const url = `/api/trace/${view.trace.id}/search?${new URLSearchParams({ search: query })}`
    const { spans } = await request<TraceSearch>(url, { signal })
    // The trace may have grown since the page has it.
    view.matches.value = Int32Array.from(spans.filter((span) => span < view.trace.size))
  } catch (error) {
    if (signal.aborted) return
    view.matches.value = new Int32Array(0)
    view.problem.value = error instanceof RequestError ? error.message : String(error)
  }
  if (!signal.aborted) view.isFinding.value = false
}
