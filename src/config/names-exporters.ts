/** Whether a variable that names exporters names any. */
export function namesExporters(value = ''): boolean {
  const names = value.trim().toLowerCase()
  return names !== '' && names !== 'none'
}
