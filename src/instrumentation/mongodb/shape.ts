/** What is shown of a document that is sent to MongoDB: its fields and operators, and none of its values. */

/** Documents within documents, members of each and of all together, and characters. */
const MOST_DEPTH = 6
const MOST_MEMBERS = 20
const MOST_IN_ALL = 200
const MOST_TEXT = 4096
/** The name of a field, of operators, or a path. What has digits in a row, or anything else in it, may be a value that serves as a key. */
export const FIELD = /^(?!.*\d{4})[A-Za-z_$][\w.$]{0,63}$/

/** The document as JSON in which each value is `"?"`; members of lists that are alike are one. */
export function shapeOf(document: unknown): string {
  return JSON.stringify(new Shape().of(document, 0)).slice(0, MOST_TEXT)
}

class Shape {
  private left = MOST_IN_ALL

  of(value: unknown, depth: number): unknown {
    if (Array.isArray(value)) {
      const shapes = new Map<string, unknown>()
      for (let i = 0; i < value.length && i < MOST_MEMBERS && this.left-- > 0; i++) {
        const shape = this.of(value[i], depth + 1)
        shapes.set(JSON.stringify(shape), shape)
      }
      return [...shapes.values()]
    }
    if (!isDocument(value) || depth >= MOST_DEPTH) return '?'
    const result: Record<string, unknown> = {}
    let members = 0
    for (const name in value) {
      if (members++ === MOST_MEMBERS || this.left-- <= 0) break
      result[FIELD.test(name) ? name : '?'] = this.of(value[name], depth + 1)
    }
    return result
  }
}

/** Not an ObjectId, a Date, bytes, or another value of BSON. */
function isDocument(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
