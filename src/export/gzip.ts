/** The fastest level: spans then take a sixth more room than with the default, in less than half of the time. */
const LEVEL = 1

/** Compresses the body of a request. */
export function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  const zlib = process.getBuiltinModule('node:zlib')
  return new Promise((resolve, reject) => {
    zlib.gzip(bytes, { level: LEVEL }, (error, smaller) =>
      error === null ? resolve(smaller) : reject(error),
    )
  })
}
