import { bind, unwrap } from '../context/bind.js'
import { capture, type Snapshot } from '../context/snapshot.js'
import { ThreadspanError } from '../core/errors.js'
import type { AnyMethod } from '../hooks/imitate.js'
import { imitate } from '../hooks/imitate.js'
import { type Application, apply, type Place, type PlaceContext } from './apply.js'
import { remember, wrappedIn } from './bound-methods.js'

/** A decorator of methods in both forms, without parentheses. */
export interface BindDecorator {
  // biome-ignore lint/suspicious/noExplicitAny: the bound of a type parameter that stands for any method.
  <F extends (...args: any[]) => unknown>(method: F, context: PlaceContext<'method'>): F
  <T extends (...args: never[]) => unknown>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<T>,
  ): TypedPropertyDescriptor<T> | void
}

/** The method bound to `receiver` and to what is current. */
function boundTo(receiver: object, method: AnyMethod): AnyMethod {
  const call = function (...args: unknown[]): unknown {
    return method.apply(receiver, args)
  }
  return imitate(bind(imitate(call, method)), method)
}

/** Gives `receiver` the method as a property of its own, bound. One that is frozen cannot have it: each read binds anew. */
function own(receiver: object, key: string | symbol, method: AnyMethod): AnyMethod {
  const bound = boundTo(receiver, method)
  Reflect.defineProperty(receiver, key, {
    value: bound,
    configurable: true,
    writable: true,
    enumerable: false,
  })
  return bound
}

const application: Application = {
  replace(fn, place) {
    return place.isPrivate ? bindPrivate(fn, place) : bindPublic(fn, place)
  },

  /** Legacy decorators do not see objects being made: the first time that the method is asked for counts; of a static one, now. */
  redefine(descriptor, { key, holder, isStatic }) {
    const method = descriptor.value as AnyMethod
    if (wrappedIn(descriptor) !== undefined) return descriptor
    return isStatic ? bindStatic(descriptor, holder!) : bindAtRead(descriptor, key, holder!, method)
  },
}

function bindStatic(descriptor: PropertyDescriptor, holder: object): PropertyDescriptor {
  const method = descriptor.value as AnyMethod
  const bound = boundTo(holder, method)
  const again = (inner: AnyMethod): PropertyDescriptor => bindStatic({ ...descriptor, value: inner }, holder)
  remember(bound, { method, again })
  return { ...descriptor, value: bound }
}

function bindAtRead(
  descriptor: PropertyDescriptor,
  key: string | symbol,
  holder: object,
  method: AnyMethod,
): PropertyDescriptor {
  /** Where a subclass has a method of this name, its objects read that one; ours is asked for by `super`. */
  const above = new WeakMap<object, AnyMethod>()
  const get = function (this: object): AnyMethod {
    if (this === holder || (typeof this !== 'object' && typeof this !== 'function')) return method
    if (holderOf(this, key) === holder) return own(this, key, method)
    let bound = above.get(this)
    if (bound === undefined) {
      bound = boundTo(this, method)
      above.set(this, bound)
    }
    return bound
  }
  const again = (inner: AnyMethod): PropertyDescriptor =>
    bindAtRead({ ...descriptor, value: inner }, key, holder, inner)
  remember(get, { method, again })
  return {
    configurable: true,
    enumerable: descriptor.enumerable ?? false,
    get,
    set(this: object, other: unknown) {
      Object.defineProperty(this, key, { value: other, configurable: true, writable: true, enumerable: true })
    },
  }
}

/** Which of an object and its prototypes has the property. */
function holderOf(object: object, key: string | symbol): object | undefined {
  for (let each: object | null = object; each !== null; each = Object.getPrototypeOf(each) as object | null)
    if (Object.hasOwn(each, key)) return each
  return undefined
}

function bindPublic(fn: AnyMethod, { key, whenMade }: Place): AnyMethod {
  whenMade!(function (this: unknown) {
    const receiver = this as Record<string | symbol, AnyMethod>
    const method = receiver[key]!
    // Where a subclass decorates its own version of the method, each class comes through here.
    if (unwrap(method) === method) own(receiver, key, method)
  })
  return fn
}

/** Cannot be replaced in the object: what was current when it was made is kept beside it. */
function bindPrivate(fn: AnyMethod, { whenMade }: Place): AnyMethod {
  const snapshots = new WeakMap<object, Snapshot>()
  whenMade!(function (this: unknown) {
    snapshots.set(this as object, capture())
  })
  const bound = function (this: object, ...args: unknown[]): unknown {
    return snapshots.get(this)!.run(() => fn.apply(this, args))
  }
  return imitate(bound as AnyMethod, fn)
}

/**
 * Decorates a method so that it runs, whoever calls it and whenever, in what was current when its object was made, and with its
 * object as `this`: `emitter.on('message', this.onMessage)` needs no `bind`, and `off` finds it again. A static method is bound where its
 * class is defined, a private one is bound to the context alone.
 *
 * As a legacy decorator (`experimentalDecorators`), which does not see objects being made, it binds at the first time that the object's
 * method is read, and the class has an accessor in the method's place. Decorators that stand above it decorate the method.
 *
 * @throws ThreadspanError `THREADSPAN_DECORATOR_PLACE` on anything but a method.
 */
export const Bind: BindDecorator = ((...args: unknown[]): unknown => {
  const [, second, third] = args
  const kind = (second as { kind?: unknown } | undefined)?.kind
  const descriptor = third as PropertyDescriptor | undefined
  if (
    (kind !== undefined && kind !== 'method') ||
    (descriptor !== undefined && descriptor.value === undefined && wrappedIn(descriptor) === undefined)
  ) {
    throw new ThreadspanError('THREADSPAN_DECORATOR_PLACE', '@Bind decorates methods')
  }
  return apply('@Bind', args, application)
}) as BindDecorator
