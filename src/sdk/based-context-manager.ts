import { type Context, type ContextManager, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api'

const EMPTY_KEY = createContextKey('threadspan entered root')

/**
 * The context manager of the application's SDK, in a thread or process that was started within a context: there that one is
 * current where nothing was entered, instead of the root. All else is the SDK's manager's.
 *
 * Whoever enters the root on purpose gets an empty context that is not taken for it.
 */
export class BasedContextManager implements ContextManager {
  /** What the manager says where nothing was entered: the root of its own copy of the API. */
  private readonly root: Context
  private readonly empty: Context

  /**
   * @param manager As it is registered, when nothing was entered yet.
   * @param base What is current where nothing was entered.
   */
  constructor(
    private readonly manager: ContextManager,
    private readonly base: Context,
  ) {
    this.root = manager.active()
    this.empty = this.root.setValue(EMPTY_KEY, true)
  }

  active(): Context {
    const context = this.manager.active()
    return context === this.root ? this.base : context
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.manager.with(this.entered(context), fn, thisArg, ...args)
  }

  bind<T>(context: Context, target: T): T {
    return this.manager.bind(this.entered(context), target)
  }

  private entered(context: Context): Context {
    return context === this.root || context === ROOT_CONTEXT ? this.empty : context
  }

  enable(): this {
    this.manager.enable()
    return this
  }

  disable(): this {
    this.manager.disable()
    return this
  }
}
