import { execFileSync } from 'node:child_process'

/**
 * Makes certificates for 127.0.0.1 in a folder: `ca.pem`, and `server` and `client`, each `.key` and `.pem`.
 * @returns Whether there is an openssl to make them.
 */
export function makeCertificates(folder: string): boolean {
  const openssl = (command: string, ...more: string[]): void => {
    execFileSync('openssl', [...command.split(' '), ...more], { cwd: folder, stdio: 'ignore' })
  }
  try {
    openssl('version')
  } catch {
    return false
  }
  const key = '-newkey rsa:2048 -nodes'
  openssl(`req -x509 ${key} -keyout ca.key -out ca.pem -days 2 -subj`, '/CN=test CA')
  for (const name of ['server', 'client']) {
    openssl(
      `req ${key} -keyout ${name}.key -out ${name}.csr -subj /CN=${name} -addext subjectAltName=IP:127.0.0.1`,
    )
    openssl(
      `x509 -req -in ${name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out ${name}.pem -days 2 -copy_extensions copy`,
    )
  }
  return true
}
