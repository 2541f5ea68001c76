/** CRC-32 as `node:zlib` has it, which is loaded where there is something to check alone. */
export function crc32(bytes: Uint8Array): number {
  return process.getBuiltinModule('node:zlib').crc32(bytes)
}
