import type { Attributes } from '../../otlp/types.js'

/** What names a process in addresses and filters: its instance, else its pid on its host. Empty where a resource tells of neither. */
export function processKey(attributes: Attributes): string {
  const instance = attributes['service.instance.id']
  if (isName(instance)) return String(instance)
  const pid = attributes['process.pid']
  if (!isName(pid)) return ''
  const host = attributes['host.name']
  return `${pid}@${isName(host) ? String(host) : ''}`
}

function isName(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && typeof value !== 'object'
}
