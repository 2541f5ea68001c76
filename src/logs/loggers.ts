import { addLogFields, type LogFields, type LogOptions, logFields } from './fields.js'

/**
 * The `mixin` of a pino logger: `pino({ mixin: pinoMixin() })`. It is called at each line, in the context of the call.
 *
 * @see https://github.com/pinojs/pino/blob/main/docs/api.md#mixin-function
 */
export function pinoMixin(options?: LogOptions): () => LogFields {
  return () => logFields(options)
}

/** What winston takes for a format. */
export interface WinstonFormat {
  transform<Info extends object>(info: Info): Info
}

/**
 * A winston format: `format.combine(winstonFormat(), format.json())`. To stand before the one that writes; fields that the line
 * has already stay. winston's formats run where the line is logged, in its context.
 *
 * @see https://github.com/winstonjs/logform#understanding-formats
 */
export function winstonFormat(options?: LogOptions): WinstonFormat {
  return {
    transform<Info extends object>(info: Info): Info {
      addLogFields(info as Record<string, unknown>, options)
      return info
    },
  }
}
