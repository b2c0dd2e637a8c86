// A look at uploaded certificate files: each mistake is named with its file, and what editors do to PEM is no mistake.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { look } from '../../src/features/certs/look.ts'

let folder: string
const bytes = (name: string) => readFileSync(join(folder, name))
const text = (name: string) => readFileSync(join(folder, name), 'utf8')
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-look-'))
  const ec = (curve: string) => ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${curve}`, '-nodes']
  writeFileSync(join(folder, 'ca.cnf'), 'basicConstraints=critical,CA:TRUE\n')
  openssl('req', '-x509', ...ec('prime256v1'), '-keyout', 'root.key', '-out', 'root.pem', '-subj', '/CN=Root')
  for (const [name, issuer] of [
    ['middle', 'root'],
    ['leaf', 'middle'],
    ['other', 'root'],
  ] as const) {
    openssl('req', '-new', ...ec('prime256v1'), '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    const by = ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`, '-CAcreateserial']
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      ...by,
      '-out',
      `${name}.pem`,
      ...(name === 'middle' ? ['-extfile', 'ca.cnf'] : []),
    )
  }
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:1024',
    '-nodes',
    '-keyout',
    'weak.key',
    '-out',
    'weak.pem',
    '-subj',
    '/CN=weak',
  )
  openssl('req', '-x509', ...ec('secp256k1'), '-keyout', 'koblitz.key', '-out', 'koblitz.pem', '-subj', '/CN=koblitz')
  openssl('x509', '-in', 'leaf.pem', '-outform', 'der', '-out', 'leaf.der')
  openssl('pkey', '-in', 'leaf.key', '-outform', 'der', '-out', 'key.der')
  openssl('pkey', '-in', 'leaf.key', '-aes256', '-passout', 'pass:x', '-out', 'encrypted.key')
  openssl('pkcs12', '-export', '-in', 'leaf.pem', '-inkey', 'leaf.key', '-passout', 'pass:x', '-out', 'both.p12')
  openssl('crl2pkcs7', '-nocrl', '-certfile', 'leaf.pem', '-out', 'leaf.p7b')
  openssl('crl2pkcs7', '-nocrl', '-certfile', 'leaf.pem', '-outform', 'der', '-out', 'p7.der')
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true }))

const files = (certificate: string | Buffer, key: string | Buffer, ca?: string | Buffer) => ({
  public: Buffer.from(certificate),
  private: Buffer.from(key),
  ...(ca !== undefined && { ca: Buffer.from(ca) }),
})

describe('files that cannot be served', () => {
  const cases: [string, () => ReturnType<typeof files>, string[], RegExp[]][] = [
    [
      'DER',
      () => files(bytes('leaf.der'), bytes('key.der')),
      ['public', 'private'],
      [/certificate in DER/, /private key in DER/],
    ],
    ['PKCS#12', () => files(bytes('both.p12'), bytes('both.p12')), ['public', 'private'], [/PKCS#12/, /PKCS#12/]],
    ['PKCS#7', () => files(text('leaf.p7b'), bytes('p7.der')), ['public', 'private'], [/PKCS#7/, /PKCS#7/]],
    [
      'UTF-16 without a mark',
      () => files(Buffer.from(text('leaf.pem'), 'utf16le'), text('leaf.key')),
      ['public'],
      [/UTF-16 without/],
    ],
    ['no PEM', () => files('hello', 'hello'), ['public', 'private'], [/no PEM/, /no PEM/]],
    [
      'Base64 alone',
      () => files(bytes('leaf.der').toString('base64'), text('leaf.key')),
      ['public'],
      [/Base64 without/],
    ],
    ['PEM that is cut', () => files(text('leaf.pem').slice(0, 200), text('leaf.key')), ['public'], [/cut off/]],
    [
      'a damaged block',
      () => files(text('leaf.pem').replace(/\n.{8}/, '\nAAAAAAAA'), text('leaf.key')),
      ['public'],
      [/Certificate 1 .* cannot be read/],
    ],
    ['swapped files', () => files(text('leaf.key'), text('leaf.pem')), ['public', 'private'], [/swapped/, /swapped/]],
    [
      'a certificate twice',
      () => files(text('leaf.pem'), text('leaf.pem')),
      ['private'],
      [/certificate and no private key/],
    ],
    ['a request', () => files(text('leaf.csr'), text('leaf.key')), ['public'], [/certificate request/]],
    [
      'the key of another certificate',
      () => files(text('leaf.pem'), text('other.key')),
      ['private'],
      [/belongs to another certificate/],
    ],
    [
      'the certificate of the authority',
      () => files(text('middle.pem'), text('leaf.key')),
      ['public'],
      [/certificate authority/],
    ],
    ['an encrypted key', () => files(text('leaf.pem'), text('encrypted.key')), ['private'], [/encrypted/]],
    ['two keys', () => files(text('leaf.pem'), text('leaf.key') + text('other.key')), ['private'], [/2 private keys/]],
    ['a curve of no browser', () => files(text('koblitz.pem'), text('koblitz.key')), ['public'], [/curve/]],
    ['a weak key', () => files(text('weak.pem'), text('weak.key')), ['public'], [/RSA of 1024 bits/]],
    [
      'the leaf last',
      () => files(text('middle.pem') + text('leaf.pem'), text('leaf.key')),
      ['public'],
      [/of the key is number 2/],
    ],
    [
      'an order that is wrong',
      () => files(text('leaf.pem') + text('root.pem') + text('middle.pem'), text('leaf.key')),
      ['public'],
      [/certificate 1 was issued by certificate 3/],
    ],
    [
      'a gap',
      () => files(text('leaf.pem') + text('root.pem'), text('leaf.key')),
      ['public'],
      [/Certificate 1 was not issued by certificate 2/],
    ],
    [
      'a key as authority',
      () => files(text('leaf.pem'), text('leaf.key'), text('root.key')),
      ['ca'],
      [/private key and no certificate/],
    ],
    ['too many', () => files(text('leaf.pem').repeat(17), text('leaf.key')), ['public'], [/17 certificates/]],
  ]
  it.each(cases)('are named: %s', (_name, make, fields, words) => {
    const { faults, texts } = look(make())
    expect(faults.map(({ field }) => field)).toEqual(fields)
    for (const [i, { message }] of faults.entries()) {
      expect(message).toMatch(words[i] as RegExp)
      expect(message).not.toMatch(/CN=|leaf|-----BEGIN [A-Z]/)
    }
    expect(texts.private).toBe('')
  })
})

describe('what editors do to PEM', () => {
  const chain = () => text('leaf.pem') + text('middle.pem')
  it.each<[string, (pem: string) => string | Buffer]>([
    ['nothing', (pem) => pem],
    ['a byte order mark', (pem) => `\ufeff${pem}`],
    ['UTF-16', (pem) => Buffer.from(`\ufeff${pem}`, 'utf16le')],
    ['CRLF', (pem) => pem.replaceAll('\n', '\r\n')],
    ['CR', (pem) => pem.replaceAll('\n', '\r')],
    ['END and BEGIN on one line', (pem) => pem.replaceAll('-----\n-----', '----------')],
    ['no last line end', (pem) => pem.trimEnd()],
    ['blanks at line ends and before them', (pem) => pem.replaceAll('\n', ' \t\n  ')],
    ['text around it', (pem) => `subject=/CN=x\nBag Attributes\n${pem}\nthe end\n`],
    ['everything on one line', (pem) => pem.replaceAll('\n', ' ')],
  ])('is no mistake: %s', (_name, edit) => {
    const { faults, texts } = look(files(edit(chain()), edit(text('leaf.key')), edit(text('root.pem'))))
    expect(faults).toEqual([])
    expect(texts).toEqual({ public: chain(), private: text('leaf.key'), ca: text('root.pem') })
  })

  it('is no mistake: a certificate that signed itself as an authority, as openssl req makes it', () => {
    expect(look(files(text('root.pem'), text('root.key'))).faults).toEqual([])
  })
})
