/** The oldest Node that this package is made for: major and minor version. */
const OLDEST = [20, 19] as const

/** What is wrong with the version of this Node; undefined where nothing is. */
export function tooOldNode(): string | undefined {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return undefined
  return `Node ${process.version} is too old: ${OLDEST.join('.')} is needed`
}
