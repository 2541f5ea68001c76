/** `logger_provider` of a configuration file, as variables. */
import type { Variables } from './exporters.js'
import { processorVariables } from './processors.js'
import type { Section } from './section.js'

/** @param section undefined where there is no logger provider: no record is made then. */
export function loggerVariables(section: Section | undefined): Variables {
  if (section === undefined) return { OTEL_LOGS_EXPORTER: 'none' }
  const { names, variables } = processorVariables(section, 'LOGS')
  const limits = section.section('limits')
  const read = {
    ...variables,
    OTEL_LOGS_EXPORTER: names.join(',') || 'none',
    OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT: limits.integer('attribute_value_length_limit'),
    OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT: limits.integer('attribute_count_limit'),
  }
  limits.refuse('attribute_value_depth_limit', 'values of attributes have no depth here')
  limits.end()
  section.refuse('logger_configurator/development', 'it is not offered')
  section.end()
  return read
}
