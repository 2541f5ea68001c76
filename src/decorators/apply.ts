import { ThreadspanError } from '../core/errors.js'
import type { AnyMethod } from '../hooks/imitate.js'
import { wrappedIn } from './bound-methods.js'

/** Where in its class the decorated function stands. */
export interface Place {
  readonly key: string | symbol
  readonly isStatic: boolean
  readonly isPrivate: boolean
  /** The class or prototype that holds it, where the decorator is told: by legacy decorators. */
  readonly holder: object | undefined
  /** With TC39 decorators: has `run` called for each object that is made, with it as `this`; for a static one, once with the class. */
  readonly whenMade: ((run: (this: unknown) => void) => void) | undefined
}

/**
 * What the compiler hands to a TC39 decorator. Not TypeScript's own `ClassMethodDecoratorContext`, which methods with a `this`
 * parameter do not fit.
 */
export interface PlaceContext<Kind extends string> {
  readonly kind: Kind
  readonly name: string | symbol
}

/** The part of a TC39 decorator's context that is used here (proposal-decorators, stage 3, 2023-05 and later). */
interface StandardContext {
  readonly kind: string
  readonly name: string | symbol
  readonly static?: boolean
  readonly private?: boolean
  addInitializer(run: (this: unknown) => void): void
}

function isStandardContext(value: unknown): value is StandardContext {
  if (typeof value !== 'object' || value === null) return false
  const { kind, addInitializer } = value as Partial<StandardContext>
  return typeof kind === 'string' && typeof addInitializer === 'function'
}

/** Whether these are the arguments of a decorator that is being applied, in either form, and not those of one that is being made. */
export function isApplied(args: readonly unknown[]): boolean {
  const [target, second] = args
  if (isStandardContext(second)) return true
  const isHolder = typeof target === 'function' || (typeof target === 'object' && target !== null)
  const isKey = typeof second === 'string' || typeof second === 'symbol'
  // A legacy class decorator gets the class alone.
  return (isHolder && isKey) || (typeof target === 'function' && args.length === 1)
}

/** What a decorator does to each kind of class element. */
export interface Application {
  /** Replaces a method, a getter or a setter. */
  replace(fn: AnyMethod, place: Place): AnyMethod
  /** Replaces a legacy method's descriptor, where a plain function in its place does not do. */
  redefine?(descriptor: PropertyDescriptor, place: Place): PropertyDescriptor
}

/**
 * Applies a decorator, of which kind the arguments tell: TC39's `(value, context)` or the legacy `(target, key, descriptor)` of
 * TypeScript's `experimentalDecorators` and Babel's `legacy`.
 *
 * @param name of the decorator, for errors: `@Span`.
 * @throws ThreadspanError `THREADSPAN_DECORATOR_PLACE` on a class, a field, a parameter.
 */
export function apply(name: string, args: readonly unknown[], application: Application): unknown {
  const [target, second, third] = args
  if (isStandardContext(second)) return applyStandard(name, target, second, application)
  if (third === undefined && (typeof second === 'string' || typeof second === 'symbol')) {
    // Compilers hand over the descriptor of what is on the prototype; a field is not there.
    const descriptor = Object.getOwnPropertyDescriptor(target, second)
    if (descriptor === undefined) throw misplaced(name, `the field ${String(second)}`)
    return applyLegacy(name, target as object, second, descriptor, application)
  }
  if (typeof third === 'object' && third !== null)
    return applyLegacy(name, target as object, second as string, third, application)
  throw misplaced(name, typeof third === 'number' ? 'a parameter' : 'a class')
}

function misplaced(name: string, place: string): ThreadspanError {
  return new ThreadspanError(
    'THREADSPAN_DECORATOR_PLACE',
    `${name} decorates methods, getters and setters; it stands at ${place}`,
  )
}

function applyStandard(
  name: string,
  value: unknown,
  context: StandardContext,
  application: Application,
): unknown {
  const place: Place = {
    key: context.name,
    isStatic: context.static === true,
    isPrivate: context.private === true,
    holder: undefined,
    whenMade: (run) => context.addInitializer(run),
  }
  switch (context.kind) {
    case 'method':
    case 'getter':
    case 'setter':
      return application.replace(value as AnyMethod, place)
    case 'accessor': {
      const { get, set } = value as { get: AnyMethod; set: AnyMethod }
      return { get: application.replace(get, place), set: application.replace(set, place) }
    }
    default:
      throw misplaced(name, context.kind === 'class' ? 'a class' : `the field ${String(context.name)}`)
  }
}

function applyLegacy(
  name: string,
  holder: object,
  key: string | symbol,
  descriptor: PropertyDescriptor,
  application: Application,
): PropertyDescriptor {
  const isStatic = typeof holder === 'function'
  const place: Place = { key, isStatic, isPrivate: false, holder, whenMade: undefined }
  const bound = wrappedIn(descriptor)
  if (bound !== undefined) {
    // Of `@Span @Bind method` each call is a span, not each time that the method is read.
    if (application.redefine !== undefined) return application.redefine(descriptor, place)
    return bound.again(application.replace(bound.method, place))
  }
  const { get, set } = descriptor
  const value = descriptor.value as unknown
  if (typeof value === 'function') {
    if (application.redefine !== undefined) return application.redefine(descriptor, place)
    return { ...descriptor, value: application.replace(value as AnyMethod, place) }
  }
  if (get === undefined && set === undefined) throw misplaced(name, `the field ${String(key)}`)
  const replaced: PropertyDescriptor = { ...descriptor }
  if (get !== undefined) replaced.get = application.replace(get as AnyMethod, place)
  if (set !== undefined) replaced.set = application.replace(set as AnyMethod, place) as (v: unknown) => void
  return replaced
}
