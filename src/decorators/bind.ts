import { bind, unwrap } from '../context/bind.js'
import { capture, type Snapshot } from '../context/snapshot.js'
import { ThreadspanError } from '../core/errors.js'
import { type AnyMethod, type Application, apply, type Place, type PlaceContext } from './apply.js'
import { imitate } from './imitate.js'

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

/** Gives `receiver` the method as a property of its own, bound to it and to what is current. */
function own(receiver: object, key: string | symbol, method: AnyMethod): AnyMethod {
  const call = function (...args: unknown[]): unknown {
    return method.apply(receiver, args)
  }
  const bound = imitate(bind(imitate(call, method)), method)
  // A frozen object cannot have one: each read binds anew.
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

  /** Legacy decorators do not see objects being made: the first time that the method is asked for counts. */
  redefine({ value, enumerable }, { key, holder }) {
    const method = value as AnyMethod
    return {
      configurable: true,
      enumerable: enumerable ?? false,
      get(this: object) {
        return this === holder ? method : own(this, key, method)
      },
      set(this: object, other: unknown) {
        Object.defineProperty(this, key, {
          value: other,
          configurable: true,
          writable: true,
          enumerable: true,
        })
      },
    }
  },
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
 * method is read, and the class has an accessor in the method's place.
 *
 * @throws ThreadspanError `THREADSPAN_DECORATOR_PLACE` on anything but a method.
 */
export const Bind: BindDecorator = ((...args: unknown[]): unknown => {
  const [, second, third] = args
  const kind = (second as { kind?: unknown } | undefined)?.kind
  const descriptor = third as PropertyDescriptor | undefined
  if (
    (kind !== undefined && kind !== 'method') ||
    (descriptor !== undefined && descriptor.value === undefined)
  ) {
    throw new ThreadspanError('THREADSPAN_DECORATOR_PLACE', '@Bind decorates methods')
  }
  return apply('@Bind', args, application)
}) as BindDecorator
