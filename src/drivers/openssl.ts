// `openssl`, where it is installed: signs a certificate with its own key, from and to dates of our choice. OpenSSL 3.0 knows such dates only in
// its small certificate authority (`openssl ca`), which wants a folder of files.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { SYSTEM_PATH } from '../folders.ts'
import { isExecutable } from './programs.ts'
import { createRun, type Run } from './run.ts'

export interface CertificateRequest {
  /** PEM; the certificate is for this key and signed by it. */
  key: string
  /** Hexadecimal, whole bytes. */
  serial: string
  from: Date
  to: Date
  commonName: string
  hosts: readonly string[]
  addresses: readonly string[]
  /** In the syntax of openssl's configuration: `keyUsage`, `nsComment`. */
  extensions: Readonly<Record<string, string>>
}

/** Certificate as PEM; undefined where there is no openssl, or a name that its configuration would read as something else. */
export type SelfSign = (request: CertificateRequest) => Promise<string | undefined>

const PROGRAMS = SYSTEM_PATH.split(':').map((folder) => join(folder, 'openssl'))
const run = createRun((program) => PROGRAMS.includes(program))

/** `folder` is made for each certificate and removed after it; what a killed process left there is removed first. */
export const opensslSigner =
  (folder: string, start: Run = run): SelfSign =>
  async (request) => {
    const program = PROGRAMS.find(isExecutable)
    if (program === undefined || !isPlain(request)) return undefined
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { mode: 0o700 })
    const [key, config, csr, cert] = ['key.pem', 'openssl.cnf', 'csr.pem', 'cert.pem'].map((name) => join(folder, name))
    try {
      const write = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o600, flag: 'wx' })
      write('key.pem', request.key)
      write('openssl.cnf', configuration(request, folder))
      write('index.txt', '')
      write('serial', `${request.serial}\n`)
      await start(program, ['req', '-new', '-batch', '-config', config!, '-key', key!, '-out', csr!])
      const dates = ['-startdate', time(request.from), '-enddate', time(request.to)]
      const files = ['-config', config!, '-keyfile', key!, '-in', csr!, '-out', cert!]
      await start(program, ['ca', '-batch', '-notext', '-selfsign', '-md', 'sha256', ...dates, ...files])
      return readFileSync(cert!, 'utf8')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

function configuration({ commonName, hosts, addresses, extensions }: CertificateRequest, folder: string): string {
  const members = (values: Readonly<Record<string, string>>) =>
    Object.entries(values).map(([name, value]) => `${name} = ${value}`)
  const numbered = (kind: string, values: readonly string[]) => values.map((value, at) => `${kind}.${at} = ${value}`)
  return [
    ...['[req]', 'prompt = no', 'distinguished_name = subject', '[subject]', `CN = ${commonName}`],
    ...['[ca]', 'default_ca = self', '[self]', 'policy = any', 'x509_extensions = extensions', 'unique_subject = no'],
    ...[`database = ${folder}/index.txt`, `serial = ${folder}/serial`, `new_certs_dir = ${folder}`],
    ...['[any]', 'commonName = supplied'],
    ...['[extensions]', ...members(extensions), 'subjectAltName = @names'],
    ...['[names]', ...numbered('DNS', hosts), ...numbered('IP', addresses), ''],
  ].join('\n')
}

/** What stands for itself in openssl's configuration: no `$`, `#`, quotes, backslashes or line ends. */
const isPlain = ({ commonName, hosts, addresses }: CertificateRequest) =>
  [commonName, ...hosts].every((name) => /^[A-Za-z0-9._*-]+$/.test(name)) &&
  addresses.every((address) => isIP(address) !== 0 && !address.includes('%')) &&
  hosts.length + addresses.length > 0

/** `20260131120000Z` */
const time = (date: Date) => `${date.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`
