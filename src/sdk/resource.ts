import type { Attributes } from '@opentelemetry/api'

/** What exporters use of a `Resource` of `@opentelemetry/resources` 2 and 3. */
export interface SdkResource {
  readonly attributes: Attributes
  readonly schemaUrl?: string | undefined
  readonly asyncAttributesPending?: boolean | undefined
  waitForAsyncAttributes?(): Promise<void>
  merge(other: SdkResource | null): SdkResource
  getRawAttributes(): [string, unknown][]
}

/** Whether something is a Resource of an SDK. Reads none of it: an SDK complains where that is too early. */
export function isSdkResource(value: unknown): value is SdkResource {
  return typeof value === 'object' && value !== null && 'attributes' in value
}

/**
 * The Resource of a descendant process, for an SDK: that of the application, as its SDK says it, with what sets the descendant apart.
 * The service is the SDK's: children go by the name that the application was given in code, unless their environment gives them
 * another than it gives the application.
 */
export class DescendantResource implements SdkResource {
  constructor(
    /** The SDK's; undefined while it is not known. */
    private readonly base: SdkResource | undefined,
    private readonly own: Attributes,
  ) {}

  /** Anew at each call: the SDK goes on finding attributes of its own. */
  get attributes(): Attributes {
    return { ...this.base?.attributes, ...this.own }
  }

  get schemaUrl(): string | undefined {
    return this.base?.schemaUrl
  }

  get asyncAttributesPending(): boolean {
    return this.base?.asyncAttributesPending === true
  }

  async waitForAsyncAttributes(): Promise<void> {
    await this.base?.waitForAsyncAttributes?.()
  }

  merge(other: SdkResource | null): SdkResource {
    return other === null ? this : new DescendantResource(this, other.attributes)
  }

  getRawAttributes(): [string, unknown][] {
    return Object.entries(this.attributes)
  }
}

/** Those attributes of a process that are not what the exporting process says of itself. */
export function difference(attributes: Attributes, own: Attributes): Attributes {
  const different: Attributes = {}
  for (const [key, value] of Object.entries(attributes)) {
    if (JSON.stringify(value) !== JSON.stringify(own[key])) different[key] = value
  }
  return different
}
