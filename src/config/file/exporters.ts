/** Exporters of a configuration file, as variables. */
import { ConfigFileError, type Section } from './section.js'

/** Variables with their values; undefined ones are not set. */
export type Variables = Record<string, string | undefined>

const encode = (text: string): string => encodeURIComponent(text)

/** Pairs of a list and of members, which count where both have a name. */
export function pairsOf(
  list: string | undefined,
  members: readonly (readonly [name: string, value: string])[],
): string | undefined {
  const pairs = members.map(([name, value]) => `${encode(name)}=${encode(value)}`)
  const all = [...(list === undefined || list.trim() === '' ? [] : [list]), ...pairs]
  return all.length === 0 ? undefined : all.join(',')
}

/** Members of `name` and `value`. */
function headersOf(section: Section): [string, string][] {
  return section.list('headers').flatMap((member) => {
    const name = member.text('name')
    const value = member.text('value')
    if (name === undefined) throw new ConfigFileError(member.path, 'it has no name')
    member.end()
    return value === undefined ? [] : [[name, value] as [string, string]]
  })
}

/** Of which the specification has variables. */
export type Signal = 'TRACES' | 'METRICS' | 'LOGS'

/** `otlp_http` or `otlp_grpc`, as the variables of a signal. */
export function otlp(section: Section, signal: Signal, kind: 'otlp_http' | 'otlp_grpc'): Variables {
  const variable = (name: string) => `OTEL_EXPORTER_OTLP_${signal}_${name}`
  const isGrpc = kind === 'otlp_grpc'
  const tls = section.section('tls')
  const compression = section.text('compression')
  if (compression !== undefined && compression !== 'gzip' && compression !== 'none')
    throw new ConfigFileError(`${section.path}.compression`, 'it is neither gzip nor none')
  const isJson = !isGrpc && section.word('encoding', ['protobuf', 'json']) === 'json'
  const variables: Variables = {
    [variable('PROTOCOL')]: isGrpc ? 'grpc' : isJson ? 'http/json' : 'http/protobuf',
    [variable('ENDPOINT')]: section.text('endpoint'),
    [variable('INSECURE')]: isGrpc ? tls.boolean('insecure') : undefined,
    [variable('HEADERS')]: pairsOf(section.text('headers_list'), headersOf(section)),
    [variable('COMPRESSION')]: compression,
    [variable('TIMEOUT')]: section.integer('timeout'),
    [variable('CERTIFICATE')]: tls.text('ca_file'),
    [variable('CLIENT_KEY')]: tls.text('key_file'),
    [variable('CLIENT_CERTIFICATE')]: tls.text('cert_file'),
  }
  section.refuse('max_request_size', 'requests have a bound of their own')
  section.refuse('max_response_size', 'answers have a bound of their own')
  tls.end()
  return variables
}
