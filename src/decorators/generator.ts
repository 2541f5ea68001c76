import { type Context, context as contextApi, type Span } from '@opentelemetry/api'
import { recordError } from '../context/exception.js'
import { ensureContextManager } from '../context/manager.js'
import type { AnyMethod } from '../hooks/imitate.js'

/** A span that was started and the context in which it is active. */
export interface Opened {
  readonly span: Span
  readonly context: Context
}

type Step = (value?: unknown) => unknown
type AnyGenerator = { readonly next: Step; readonly return: Step; readonly throw: Step }

/** Whether `fn` is a generator function, and of which kind. */
export function generatorKind(fn: AnyMethod): 'sync' | 'async' | undefined {
  const tag = (fn as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]
  return tag === 'GeneratorFunction' ? 'sync' : tag === 'AsyncGeneratorFunction' ? 'async' : undefined
}

/**
 * A generator like `generator` whose steps run in a span's context. The work of a generator begins at the first `next()`, and so does
 * the span; it ends when the generator is done, returned or throws. One that is never asked makes no span.
 *
 * What it yields is consumed outside of the span: each step enters the context and leaves it.
 */
export function inSpanOf(generator: object, isAsync: boolean, open: () => Opened): object {
  const source = generator as AnyGenerator
  let opened: Opened | undefined
  let isOver = false

  const over = (): void => {
    isOver = true
    opened?.span.end()
  }
  const failed = (error: unknown): void => {
    if (!isOver && opened !== undefined) recordError(opened.span, error)
    over()
  }
  const settled = (result: unknown): unknown => {
    if ((result as IteratorResult<unknown>).done === true) over()
    return result
  }
  const step = (name: keyof AnyGenerator) =>
    function (this: unknown, ...args: unknown[]): unknown {
      // One that is given up before it began does nothing.
      if (opened === undefined && name !== 'next') isOver = true
      if (isOver) return Reflect.apply(source[name], source, args)
      if (opened === undefined) {
        ensureContextManager()
        opened = open()
      }
      let result: unknown
      try {
        result = contextApi.with(opened.context, source[name] as Step, source, ...(args as [unknown]))
      } catch (error) {
        failed(error)
        throw error
      }
      if (!isAsync) return settled(result)
      return (result as Promise<unknown>).then(settled, (error: unknown) => {
        failed(error)
        throw error
      })
    }

  const traced = Object.create(Object.getPrototypeOf(generator) as object) as object
  for (const name of ['next', 'return', 'throw'] as const) {
    Object.defineProperty(traced, name, { value: step(name), configurable: true, writable: true })
  }
  return traced
}
