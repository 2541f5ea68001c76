import type { OtlpConfig } from '../config/otlp.js'

/** The files of certificates and keys, as `node:tls` takes them. Rejects where one cannot be read: sending without it would trust, or be trusted, otherwise than was asked for. */
export async function tlsFiles({
  certificate,
  clientKey,
  clientCertificate,
}: OtlpConfig): Promise<Record<string, Buffer>> {
  const { readFile } = process.getBuiltinModule('node:fs/promises')
  const files: Record<string, Buffer> = {}
  for (const [name, path] of [
    ['ca', certificate],
    ['key', clientKey],
    ['cert', clientCertificate],
  ] as const) {
    if (path !== undefined) files[name] = await readFile(path)
  }
  return files
}
