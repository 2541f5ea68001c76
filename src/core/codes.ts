/**
 * Every code that programs and users get to see, declared once: what it means, and the ways it comes. `error`: of a ThreadspanError that is
 * thrown; `warning`: of a Node warning; `line`: in a line on stderr; `answer`: in an HTTP answer of the viewer.
 *
 * Types only, so that no thread loads what it never says; messages stand where they are made. `docs/reference.md` says of each what to do.
 */
export interface Codes {
  /** An argument has the wrong type or value. */
  THREADSPAN_INVALID_ARGUMENT: 'error'
  /** The name of a value that shall travel is no string of 1 to 128 characters. */
  THREADSPAN_VALUE_NAME: 'error'
  /** Another AsyncLocalStorage is registered under this name. */
  THREADSPAN_VALUE_NAME_TAKEN: 'error'
  /** 32 values are registered to travel along, and no more can be. */
  THREADSPAN_VALUE_LIMIT: 'error'
  /** An AsyncLocalStorage was not registered by `propagate`. */
  THREADSPAN_VALUE_UNREGISTERED: 'error'
  /** An object is no pool of a library that is known. */
  THREADSPAN_POOL_UNKNOWN: 'error'
  /** A decorator stands where it cannot work. */
  THREADSPAN_DECORATOR_PLACE: 'error'
  /** A method cannot be called from another thread. */
  THREADSPAN_OFFLOAD_PLACE: 'error'
  /** The module, class or method is not found in the worker. */
  THREADSPAN_OFFLOAD_NOT_FOUND: 'error'
  /** An argument, the state or the result of an offloaded call cannot be cloned. */
  THREADSPAN_OFFLOAD_CLONE: 'error'
  /** Bytes or text are no valid OTLP message. */
  THREADSPAN_OTLP_MALFORMED: 'error' | 'answer'

  /** A bundler has taken the package's code away from its other files. */
  THREADSPAN_BUNDLED: 'error'
  /** This version of Node is too old. */
  THREADSPAN_NODE: 'error' | 'warning'
  /** Another package makes the spans that this one makes. */
  THREADSPAN_TWO_AGENTS: 'warning'
  /** An OpenTelemetry SDK could not be registered over this package. */
  THREADSPAN_SDK_REFUSED: 'warning'
  /** Pools of a library are not traced, because following it failed. */
  THREADSPAN_POOL_UNTRACED: 'warning'
  /** A file of this package could not be loaded when it was needed. */
  THREADSPAN_PRELOAD: 'warning'
  /** `async-hook-domain` cannot be loaded. */
  THREADSPAN_ERRORS_DOMAIN: 'warning'
  /** `OTEL_PROPAGATORS` names a propagator that is not known. */
  THREADSPAN_PROPAGATOR_UNKNOWN: 'warning'
  /** The package of a propagator is not installed. */
  THREADSPAN_PROPAGATOR_MISSING: 'warning'
  /** The telemetry thread has failed twice. */
  THREADSPAN_COLLECTOR: 'warning'
  /** An instrument of metrics has no valid name, and measures nothing. */
  THREADSPAN_METRIC_NAME: 'warning'

  /** The value of a variable cannot be understood. */
  THREADSPAN_ENV_INVALID: 'line'
  /** The value of a variable is known to OpenTelemetry, and not offered here. */
  THREADSPAN_ENV_UNSUPPORTED: 'line'
  /** A variable is named as those of this package are, and is none of them. */
  THREADSPAN_ENV_UNKNOWN: 'line'
  /** The file of `OTEL_CONFIG_FILE` cannot be used, and nothing is recorded. */
  THREADSPAN_CONFIG_FILE: 'line'
  /** The file of `OTEL_CONFIG_FILE` says what is not understood, or not offered here. */
  THREADSPAN_CONFIG_UNSUPPORTED: 'line'
  /** Settings of central configuration have changed; what holds now. */
  THREADSPAN_CENTRAL_APPLIED: 'line'
  /** What a server of central configuration has sent cannot be used, or not all of it. */
  THREADSPAN_CENTRAL_INVALID: 'line'
  /** A server of central configuration gives no settings. */
  THREADSPAN_CENTRAL_UNREACHABLE: 'line'
  /** A server of central configuration answers again. */
  THREADSPAN_CENTRAL_RECOVERED: 'line'
  /** Spans cannot be delivered for the time being. */
  THREADSPAN_EXPORT_UNREACHABLE: 'line'
  /** Spans are delivered again. */
  THREADSPAN_EXPORT_RECOVERED: 'line'
  /** The receiver refuses spans. */
  THREADSPAN_EXPORT_REJECTED: 'line'
  /** The receiver took a part of the spans, or has something to say of them. */
  THREADSPAN_EXPORT_PARTIAL: 'line'
  /** The receiver finds requests too large. */
  THREADSPAN_EXPORT_TOO_LARGE: 'line'
  /** The file of the exporter `file` cannot be written. */
  THREADSPAN_EXPORT_FILE: 'line'
  /** The terminal or pipe that an exporter writes to is closed. */
  THREADSPAN_EXPORT_OUTPUT: 'line'
  /** An exporter failed at spans. */
  THREADSPAN_EXPORT_FAILED: 'line'
  /** Metrics do not arrive; spans are not affected. */
  THREADSPAN_METRICS: 'line'
  /** A surfacer cannot be made, throws, or does not come to an end. */
  THREADSPAN_SURFACER: 'line' | 'warning'
  /** A resource detector is not installed, or failed. */
  THREADSPAN_RESOURCE_DETECTOR: 'line'
  /** Prometheus cannot read the metrics here: the port is in use, or cannot be listened at. */
  THREADSPAN_PROMETHEUS: 'line'
  /** Spans did not arrive; how many, and why. */
  THREADSPAN_DROPPED: 'line'
  /** Spans that could not be delivered are kept for the next start. */
  THREADSPAN_SPOOLED: 'line'
  /** Spans that could not be delivered could not be kept either. */
  THREADSPAN_SPOOL_WRITE: 'line'

  /** A command line is wrong. */
  THREADSPAN_CLI_USAGE: 'error'
  /** A program could not be started. */
  THREADSPAN_CLI_SPAWN: 'error'
  /** The installation of this package lacks files. */
  THREADSPAN_CLI_INCOMPLETE: 'error'
  /** The demo needs OpenTelemetry's API, which is not installed. */
  THREADSPAN_DEMO_PACKAGES: 'error'
  /** A program of the demo did not start. */
  THREADSPAN_DEMO_START: 'error'
  /** The demo's service answered otherwise than it should. */
  THREADSPAN_DEMO_ANSWER: 'error'
  /** A program of the demo ended with an error. */
  THREADSPAN_DEMO_END: 'error'

  /** The port is in use. */
  THREADSPAN_PORT_TAKEN: 'error'
  /** The viewer cannot listen. */
  THREADSPAN_LISTEN: 'error'
  /** This Node has no `node:sqlite`. */
  THREADSPAN_SQLITE_UNAVAILABLE: 'error'
  /** The database cannot be opened, or is no database of the viewer's. */
  THREADSPAN_DB_OPEN: 'error'
  /** The database can no longer be written. */
  THREADSPAN_DB_WRITE: 'line'
  /** A file of spans cannot be read. */
  THREADSPAN_FILE_UNREADABLE: 'error'
  /** A file of spans cannot be written. */
  THREADSPAN_FILE_UNWRITABLE: 'error'
  /** A source of traces is not named by a URL that can be read. */
  THREADSPAN_SOURCE_URL: 'error'
  /** A source of traces cannot be reached, or takes too long. */
  THREADSPAN_SOURCE_UNREACHABLE: 'error' | 'answer'
  /** A source of traces answers with an error, with too much, or with what its API does not have. */
  THREADSPAN_SOURCE_ANSWER: 'error' | 'answer'
  /** The viewer failed at a request. */
  THREADSPAN_VIEWER_FAILED: 'line' | 'answer'

  /** A request names another host than the viewer's. */
  THREADSPAN_FOREIGN_HOST: 'answer'
  /** A request comes from a page of another origin. */
  THREADSPAN_FOREIGN_ORIGIN: 'answer'
  /** There is nothing at this address. */
  THREADSPAN_NOT_FOUND: 'answer'
  /** The address takes another HTTP method. */
  THREADSPAN_METHOD: 'answer'
  /** A parameter of the address has a wrong value. */
  THREADSPAN_FILTER: 'answer'
  /** The format to export in is not known. */
  THREADSPAN_EXPORT_FORMAT: 'answer'
  /** A file that was sent cannot be read. */
  THREADSPAN_IMPORT: 'answer'
  /** The type of a request's body is none of OTLP/HTTP. */
  THREADSPAN_CONTENT_TYPE: 'answer'
  /** The compression of a request's body is not supported. */
  THREADSPAN_UNSUPPORTED_ENCODING: 'answer'
  /** A request's body does not decompress. */
  THREADSPAN_BODY_COMPRESSION: 'answer'
  /** A request's body is too large. */
  THREADSPAN_BODY_TOO_LARGE: 'answer'
  /** A request ended before its body did. */
  THREADSPAN_BODY_ABORTED: 'answer'
  /** More data arrives at once than can be taken. */
  THREADSPAN_BUSY: 'answer'
}

/** Any of them. They never change; messages may. */
export type Code = keyof Codes

type CodesOf<Way extends Codes[Code]> = { [C in Code]: Way extends Codes[C] ? C : never }[Code]

/** Of a ThreadspanError. */
export type ErrorCode = CodesOf<'error'>
/** Of a Node warning. */
export type WarningCode = CodesOf<'warning'>
/** Of a line on stderr. */
export type LineCode = CodesOf<'line'>
/** Of an HTTP answer of the viewer that is an error. */
export type AnswerCode = CodesOf<'answer'>
