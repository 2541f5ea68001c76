import type { JsonObject } from '../../otlp/json-read.js'
import { encodeJsonTraces } from '../../otlp/json-traces.js'
import { isJaeger, jaegerSpans } from './jaeger.js'
import { traceDataOf } from './proto-json.js'
import { Requests } from './requests.js'
import { isZipkin, zipkinSpans } from './zipkin.js'

/** Most bytes of Zipkin's spans that are held back until the spans of their traces have come, too. */
const MAX_WAITING = 32 * 1024 * 1024

/** What reading a value brought. */
export interface ForeignTraces {
  /** Encoded `ExportTraceServiceRequest`s. */
  requests: Uint8Array[]
  /** Spans that cannot be read. */
  refused: number
}

/** Reads traces in other formats than OTLP: Jaeger's JSON, Zipkin's v2 JSON, and OTLP as Grafana Tempo and Jaeger answer it. */
export class ForeignReader {
  #zipkin: JsonObject[] = []
  #waiting = 0

  /**
   * @param bytes The length of the JSON's text.
   * @returns undefined where it is in no format that is known.
   * @throws OtlpError where a field has another type than its format gives it.
   */
  take(json: unknown, bytes: number): ForeignTraces | undefined {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined
    const value = json as JsonObject
    if (isZipkin(value)) {
      this.#zipkin.push(value)
      this.#waiting += bytes
      return this.#waiting > MAX_WAITING ? this.end() : { requests: [], refused: 0 }
    }
    if (isJaeger(value)) {
      const requests = new Requests()
      jaegerSpans(value, requests)
      return { requests: requests.take(), refused: 0 }
    }
    const data = traceDataOf(value)
    return data === undefined ? undefined : { requests: encodeJsonTraces(data), refused: 0 }
  }

  /** What was held back. */
  end(): ForeignTraces {
    const requests = new Requests()
    const refused = zipkinSpans(this.#zipkin, requests)
    this.#zipkin = []
    this.#waiting = 0
    return { requests: requests.take(), refused }
  }
}
