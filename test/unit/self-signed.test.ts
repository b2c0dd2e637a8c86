// The certificate that we make ourselves: its form, its names, and when it is made anew. It is made of random bytes, and a form that OpenSSL
// cannot read came once in 512 starts.
import { spawnSync } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createSecureContext } from 'node:tls'
import type Forge from 'node-forge'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { opensslSigner } from '../../src/drivers/openssl.ts'
import { selfSigner } from '../../src/features/certs/self-sign.ts'
import type { Folders } from '../../src/folders.ts'
import { type Machine, machineNames } from '../../src/http/server/machine-names.ts'
import { certificateFile, keyFile } from '../../src/http/server/pair-files.ts'
import {
  isSelfMade,
  makeSelfSigned,
  reasonToRenew,
  renewSelfMade,
  type SelfSign,
} from '../../src/http/server/self-made.ts'
import { installedPair, watchSelfMade } from '../../src/http/server/served-pair.ts'
import { installPair, readPair } from '../../src/http/server/tls.ts'
import { until } from '../api/client.ts'

const DAY = 86_400_000
const NOW = Date.parse('2026-06-01T00:00:00Z')
const MACHINE: Machine = {
  hostname: 'nas1',
  hosts: '127.0.0.1 localhost\n10.0.0.5 nas1.example.com nas1 # here\n10.0.0.6 nas2.example.com nas2\n',
  interfaces: {
    lo: [
      { address: '127.0.0.1', internal: true },
      { address: '::1', internal: true },
    ],
    eth0: [
      { address: '10.0.0.5', internal: false },
      { address: '2001:db8::5', internal: false },
      { address: '2001:db8::abcd', internal: false },
      { address: 'fe80::1', internal: false },
    ],
  },
  inet6:
    '20010db800000000000000000000abcd 02 40 00 01     eth0\n20010db8000000000000000000000005 02 40 00 80     eth0\n',
}

let folder: string
let folders: Folders
const warnings: string[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-'))
  folders = { root: folder, sysconf: folder, data: folder, state: folder }
  warnings.length = 0
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Who signs: openssl, or without it node-forge. */
let sign: SelfSign | undefined
const start = (now: number, { machine = MACHINE, host = '::' }: { machine?: Machine; host?: string } = {}) =>
  installedPair({ folders, host, now: () => now, machine: () => machine, warn: (text) => warnings.push(text), sign })
const dates = (cert: string) => {
  const { validFrom, validTo } = new X509Certificate(cert)
  return [Date.parse(validFrom), Date.parse(validTo)] as const
}
const covers = (cert: string, now: number) => dates(cert)[0] < now && now < dates(cert)[1]

const WAYS = [
  { way: 'openssl', kind: 'ec', usage: 'Digital Signature', signer: () => selfSigner(folders) },
  { way: 'node-forge', kind: 'rsa', usage: 'Digital Signature, Key Encipherment', signer: () => undefined },
]
afterEach(() => {
  sign = undefined
})

describe.each(WAYS)('the certificate that we make with $way', ({ kind, signer }) => {
  beforeEach(() => {
    sign = signer()
  })

  it.each([
    ['zeros', Buffer.alloc(16)],
    ['a zero and then a small byte', Buffer.from('00017fffffffffffffffffffffffffff', 'hex')],
    ['a zero and then a big byte', Buffer.from('00ff7fffffffffffffffffffffffffff', 'hex')],
    ['ones', Buffer.alloc(16, 0xff)],
  ])('can be served, with a positive serial number, whatever was random: %s', async (_name, random) => {
    const names = { hosts: ['nas1'], addresses: ['127.0.0.1'] }
    const { cert, key } = await makeSelfSigned({ names, now: NOW, random, sign })
    createSecureContext({ cert, key })
    expect(new X509Certificate(cert).publicKey.asymmetricKeyType).toBe(kind)
    expect(new X509Certificate(cert).serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
  })

  it('is good for every name and address of the port, and no client refuses its length', async () => {
    const { cert } = await start(NOW)
    const leaf = new X509Certificate(cert)
    for (const name of ['nas1', 'nas1.example.com', 'localhost']) expect(leaf.checkHost(name)).toBe(name)
    for (const address of ['127.0.0.1', '::1', '10.0.0.5', '2001:db8::5']) expect(leaf.checkIP(address)).toBe(address)
    expect(leaf.subjectAltName).not.toMatch(/nas2|ABCD|FE80/i)
    const [from, to] = dates(cert)
    expect((to - from) / DAY).toBeLessThan(825)
    expect(NOW - from).toBeGreaterThanOrEqual(DAY)
    writeFileSync(join(folder, 'x.pem'), cert)
    const at = String(NOW / 1000)
    const verify = ['verify', '-attime', at, '-CAfile', join(folder, 'x.pem'), join(folder, 'x.pem')]
    expect(String(spawnSync('openssl', verify).stdout)).toContain('OK')
  })

  it('names what the port listens on, no more', () => {
    expect(machineNames('10.0.0.5', MACHINE).addresses).toEqual(['127.0.0.1', '::1', '10.0.0.5'])
    expect(machineNames('127.0.0.1', MACHINE).addresses).toEqual(['127.0.0.1', '::1'])
    expect(machineNames('0.0.0.0', MACHINE).addresses).toEqual(['127.0.0.1', '::1', '10.0.0.5'])
    expect(machineNames('Box.example.org', MACHINE).hosts).toEqual([
      'nas1',
      'nas1.example.com',
      'box.example.org',
      'localhost',
    ])
  })
})

describe.each(WAYS)('what the certificate of $way says', ({ usage, signer }) => {
  beforeEach(() => {
    sign = signer()
  })
  const make = (hosts: string[], addresses: string[] = []) =>
    makeSelfSigned({ names: { hosts, addresses }, now: NOW, sign })

  it('is that it is a server’s, no authority’s, for a week before and 817 days after', async () => {
    const { cert } = await make(['a'.repeat(70), 'localhost'], ['127.0.0.1'])
    const leaf = new X509Certificate(cert)
    expect([leaf.ca, leaf.keyUsage, leaf.subject]).toEqual([false, ['1.3.6.1.5.5.7.3.1'], `CN=${'a'.repeat(64)}`])
    expect(dates(cert)).toEqual([NOW - 7 * DAY, NOW + 817 * DAY])
    const told = spawnSync('openssl', ['x509', '-noout', '-ext', 'keyUsage'], { input: cert, encoding: 'utf8' })
    expect(told.stdout.trim().split(/\n\s*/).at(-1)).toBe(usage)
    expect(isSelfMade({ cert, key: '' })).toBe(true)
  })

  it('is made anew thirty days before its end, and where it begins only later', async () => {
    const { cert } = await make(['nas1'], ['10.0.0.5'])
    const names = { hosts: ['nas1'], addresses: ['10.0.0.5'] }
    const reason = (now: number) => reasonToRenew(cert, names, now)?.split(' on ')[0]
    const [from, to] = dates(cert)
    expect([from - 1000, from, to - 30 * DAY, to - 30 * DAY + 1000].map(reason)).toEqual([
      ...['it begins only', undefined, undefined, 'it ends'],
    ])
  })

  it('is made anew for a name or an address that it does not have itself: a pattern, or its subject, is none', async () => {
    const reason = (pair: { cert: string }, hosts: string[], addresses: string[] = []) =>
      reasonToRenew(pair.cert, { hosts, addresses }, NOW)
    const one = await make(['nas1', '*.example.com'], ['10.0.0.5'])
    expect(reason(one, ['nas1'], ['10.0.0.5'])).toBeUndefined()
    expect(reason(one, ['a.example.com'])).toBe('it is not good for a.example.com')
    expect(reason(one, ['nas1', 'nas2'], ['10.0.0.5', '10.0.0.6'])).toBe('it is not good for nas2, 10.0.0.6')
    expect(reason(await make([], ['10.0.0.5']), ['localhost'])).toBe('it is not good for localhost')
  })

  it('stays where another one was put in its place meanwhile', async () => {
    await start(0)
    const other = (await make(['other'])).cert
    const installing = () => {
      writeFileSync(certificateFile(folders), other)
      return false
    }
    const renewal = { folders, host: '::', now: NOW, machine: MACHINE, installing, sign }
    expect([await renewSelfMade(renewal), readFileSync(certificateFile(folders), 'utf8')]).toEqual([undefined, other])
  })
})

describe('a pair', () => {
  it('is none without its certificate, and no good without its own key', async () => {
    expect(readPair(folders)).toBeUndefined()
    const [one, other] = [await start(NOW), generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey]
    rmSync(keyFile(folders))
    expect(() => readPair(folders)).toThrow('the certificate has no private key')
    writeFileSync(keyFile(folders), other.export({ type: 'pkcs8', format: 'pem' }))
    expect(() => readPair(folders)).toThrow('the private key does not belong to the certificate')
    // Nothing of it is replaced: something else is served until it is mended.
    expect((await start(NOW)).cert).not.toBe(one.cert)
    expect([warnings.length, readFileSync(certificateFile(folders), 'utf8')]).toEqual([1, one.cert])
  })

  it('that cannot be looked after is told once, and again after it was good', async () => {
    const { key } = await start(NOW)
    let looks = 0
    const machine = () => {
      looks += 1
      return MACHINE
    }
    const stop = watchSelfMade({
      ...{ folders, host: '::', now: () => NOW, machine, every: 2, installing: () => false },
      warn: (text) => warnings.push(text),
      renewed: () => warnings.push('renewed'),
    })
    const further = async () => {
      const from = looks
      await until('it looked', () => looks >= from + 4)
    }
    try {
      rmSync(keyFile(folders))
      await further()
      expect(warnings).toEqual(['the self-made certificate could not be looked after'])
      writeFileSync(keyFile(folders), key)
      await further()
      rmSync(keyFile(folders))
      await further()
    } finally {
      stop()
    }
    expect(warnings).toEqual(Array(2).fill('the self-made certificate could not be looked after'))
  })
})

describe('where openssl makes no certificate', () => {
  const other = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey
  const pemOf = (key: ReturnType<typeof other>) => key.export({ type: 'pkcs8', format: 'pem' }).toString()
  const FAILURES: [string, () => SelfSign][] = [
    ['it fails', () => () => Promise.reject(new Error('the disk is full'))],
    ['it is not there', () => async () => undefined],
    ['it writes nothing', () => async () => ''],
    ['it writes rubbish', () => async () => '-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n'],
    ['it signs another key', () => (request) => selfSigner(folders)({ ...request, key: pemOf(other()) })],
  ]
  const servable = (pair: Awaited<ReturnType<typeof start>>) => {
    createSecureContext(pair)
    return new X509Certificate(pair.cert).publicKey.asymmetricKeyType
  }

  it.each(FAILURES)('node-forge makes the first one, and the log says why: %s', async (name, signer) => {
    sign = signer()
    const pair = await start(NOW)
    expect([servable(pair), readPair(folders)]).toEqual(['rsa', pair])
    const isThere = name !== 'it is not there'
    expect(warnings).toEqual(isThere ? ['openssl made no certificate; one with an RSA key is made without it'] : [])
  })

  it.each(FAILURES)(
    'the port opens beside a key that only openssl signs with, and the key stays: %s',
    async (_name, signer) => {
      const key = pemOf(other())
      mkdirSync(dirname(keyFile(folders)), { recursive: true })
      writeFileSync(keyFile(folders), key)
      sign = signer()
      expect(servable(await start(NOW))).toBe('rsa')
      expect([readFileSync(keyFile(folders), 'utf8'), existsSync(certificateFile(folders))]).toEqual([key, false])
      expect(warnings).toContain(
        'no certificate could be made for the key that is there; one with another key is served',
      )
      sign = selfSigner(folders)
      expect((await start(NOW)).key).toBe(key)
    },
  )
})

describe.each(WAYS)('a first start with a wrong clock, and $way', ({ kind, signer }) => {
  beforeEach(() => {
    sign = signer()
  })

  it.each([
    ['of 1970', 0],
    ['of 2010', Date.parse('2010-01-01')],
    ['of 2060', Date.parse('2060-01-01')],
  ])('%s is mended by the next start, with the same key', async (_name, wrong) => {
    const first = await start(wrong)
    expect(covers(first.cert, wrong)).toBe(true)
    expect(covers(first.cert, NOW)).toBe(false)
    const second = await start(NOW)
    expect(covers(second.cert, NOW)).toBe(true)
    expect(second.key).toBe(first.key)
    expect(new X509Certificate(second.cert).serialNumber).not.toBe(new X509Certificate(first.cert).serialNumber)
    expect(readPair(folders)).toEqual(second)
    expect(warnings.join()).toContain('made anew, with the same key')
    expect((await start(NOW)).cert).toBe(second.cert)
  })

  it('is mended while the server runs, and so is another name or address', async () => {
    // Its own: a look that is under way when the watch ends may still have something to say.
    const told: string[] = []
    let now = 0
    let machine = MACHINE
    const reasons: string[] = []
    const first = await start(now)
    let installing = true
    const stop = watchSelfMade({
      ...{ folders, host: '::', now: () => now, machine: () => machine, every: 5, sign },
      warn: (text) => told.push(text),
      installing: () => installing,
      renewed: (reason) => reasons.push(reason),
    })
    try {
      now = NOW
      installing = false
      await until('its dates fit', () => reasons.length === 1)
      machine = { ...MACHINE, hostname: 'nas9' }
      await until('its host fits', () => reasons.length === 2)
      machine = { ...machine, interfaces: { eth0: [{ address: '10.0.0.77', internal: false }] } }
      await until('its address fits', () => reasons.length === 3)
      now += (824 - 7 - 29) * DAY
      await until('it has days left', () => reasons.length === 4)
    } finally {
      stop()
    }
    expect(reasons[0]).toMatch(/^it ends on 1972-/)
    expect(reasons[1]).toBe('it is not good for nas9')
    expect(reasons[2]).toBe('it is not good for 10.0.0.77')
    expect(reasons[3]).toMatch(/^it ends on 2028-/)
    expect(told).toEqual([])
    const pair = readPair(folders)
    expect([pair?.key, isSelfMade(pair!)]).toEqual([first.key, true])
    expect(new X509Certificate(pair!.cert).checkIP('10.0.0.77')).toBe('10.0.0.77')
    expect(new X509Certificate(pair!.cert).publicKey.asymmetricKeyType).toBe(kind)
  })

  it('leaves the files alone at the start as well while a certificate is being installed', async () => {
    const begin = (now: number, installing: boolean) =>
      installedPair({
        ...{ folders, host: '::', now: () => now, machine: () => MACHINE, sign },
        warn: (text) => warnings.push(text),
        installing: () => installing,
      })
    expect(isSelfMade(await begin(0, true))).toBe(true)
    expect(readPair(folders)).toBeUndefined()
    const first = await begin(0, false)
    expect((await begin(NOW, true)).cert).toBe(first.cert)
    expect(readPair(folders)).toEqual(first)
    expect(warnings).toEqual([])
  })

  it('leaves the files alone while a certificate is being installed', async () => {
    await start(0)
    const before = readFileSync(certificateFile(folders), 'utf8')
    const told: string[] = []
    let looks = 0
    const stop = watchSelfMade({
      ...{ folders, host: '::', now: () => NOW, machine: () => MACHINE, every: 5, sign },
      warn: (text) => told.push(text),
      installing: () => {
        looks += 1
        return true
      },
      renewed: () => told.push('renewed'),
    })
    await until('it looked', () => looks >= 2)
    stop()
    expect(readFileSync(certificateFile(folders), 'utf8')).toBe(before)
    expect(told).toEqual([])
  })
})

describe('a certificate that somebody installed', () => {
  const bought = (...args: string[]) => {
    const [cert, key] = [join(folder, 'b.pem'), join(folder, 'b.key')]
    const made = spawnSync('openssl', [
      'req',
      '-x509',
      '-nodes',
      '-newkey',
      'rsa:2048',
      '-keyout',
      key,
      '-out',
      cert,
      ...args,
    ])
    if (made.status !== 0) throw new Error(String(made.stderr))
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
  }

  it.each([
    ['self-signed', ['-subj', '/CN=nas1', '-days', '1']],
    [
      'self-signed, with the names and the length of ours',
      ['-subj', '/CN=nas1', '-days', '3651', '-addext', 'subjectAltName=DNS:nas1,DNS:localhost,IP:127.0.0.1'],
    ],
  ])('is never replaced, though its dates and names are wrong: %s', async (_name, args) => {
    const pair = bought(...args)
    expect(isSelfMade(pair)).toBe(false)
    installPair(folders, pair)
    expect((await start(Date.parse('2060-01-01'))).cert).toBe(pair.cert)
    expect(readFileSync(certificateFile(folders), 'utf8')).toBe(pair.cert)
  })

  it('whose text holds our comment is still its own: only a signature by its own key makes it ours', async () => {
    const ours = await makeSelfSigned({ names: { hosts: ['nas1'], addresses: [] }, now: NOW })
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    // The same certificate with one byte of its signature turned.
    const der = Buffer.from(new X509Certificate(ours.cert).raw)
    der[der.length - 1] = (der.at(-1) as number) ^ 1
    const forged = `-----BEGIN CERTIFICATE-----\n${der
      .toString('base64')
      .match(/.{1,64}/g)
      ?.join('\n')}\n-----END CERTIFICATE-----\n`
    expect(isSelfMade({ cert: forged, key: '' })).toBe(false)
    expect(isSelfMade(ours)).toBe(true)
    expect(createPublicKey(other).equals(new X509Certificate(ours.cert).publicKey)).toBe(false)
  })

  it('lost, leaves its key where it is', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    mkdirSync(dirname(keyFile(folders)), { recursive: true })
    writeFileSync(keyFile(folders), pem)
    await start(NOW)
    expect(readFileSync(keyFile(folders), 'utf8')).toBe(pem)
    expect(warnings).toHaveLength(1)
  })
})

it('knows what version 0.1.0 made, and makes it anew', async () => {
  await import('node-forge/lib/x509.js')
  const forge = (await import('node-forge/lib/forge.js')).default as typeof Forge
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const der = privateKey.export({ type: 'pkcs1', format: 'der' }).toString('binary')
  const forgeKey = forge.pki.privateKeyFromAsn1(forge.asn1.fromDer(der)) as Forge.pki.rsa.PrivateKey
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forge.pki.setRsaPublicKey(forgeKey.n, forgeKey.e)
  certificate.serialNumber = `4${'a'.repeat(31)}`
  certificate.validity.notBefore = new Date(Date.parse('2009-12-31'))
  certificate.validity.notAfter = new Date(Date.parse('2009-12-31') + 3651 * DAY)
  const subject = [{ name: 'commonName', value: 'old-name' }]
  certificate.setSubject(subject)
  certificate.setIssuer(subject)
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true },
    { name: 'extKeyUsage', serverAuth: true },
    {
      name: 'subjectAltName',
      altNames: [
        { type: 2, value: 'old-name' },
        { type: 2, value: 'localhost' },
        { type: 7, ip: '127.0.0.1' },
      ],
    },
  ])
  certificate.sign(forgeKey, forge.md.sha256.create())
  installPair(folders, { cert: forge.pki.certificateToPem(certificate), key })
  const next = await start(NOW)
  expect([next.key, covers(next.cert, NOW)]).toEqual([key, true])
})

describe('openssl', () => {
  const leftover = () => join(folder, 'self-sign')

  it('leaves nothing behind, and takes nothing over that a killed process left', async () => {
    mkdirSync(leftover(), { recursive: true })
    writeFileSync(join(leftover(), 'key.pem'), 'half a key')
    sign = selfSigner(folders)
    const { cert, key } = await start(NOW)
    expect(new X509Certificate(cert).publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
    expect([existsSync(leftover()), readPair(folders), warnings]).toEqual([false, { cert, key }, []])
    expect(statSync(keyFile(folders)).mode & 0o777).toBe(0o600)
  })

  it('reads the key from a file that nobody else can read; where it fails, node-forge signs', async () => {
    const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)
    const modes: string[] = []
    sign = opensslSigner(leftover(), (program) => {
      modes.push(program.split('/').at(-1) ?? '', mode(leftover()), mode(join(leftover(), 'key.pem')))
      return Promise.reject(new Error('no room'))
    })
    const before = process.umask(0)
    try {
      const { cert } = await start(NOW)
      expect([new X509Certificate(cert).publicKey.asymmetricKeyType, warnings]).toEqual([
        'rsa',
        ['openssl made no certificate; one with an RSA key is made without it'],
      ])
    } finally {
      process.umask(before)
    }
    expect([modes, existsSync(leftover())]).toEqual([['openssl', '700', '600'], false])
  })

  it('goes on with the key of a first start that was killed before its certificate', async () => {
    sign = selfSigner(folders)
    const { key } = await start(NOW)
    rmSync(certificateFile(folders))
    const next = await start(NOW)
    expect([next.key, readPair(folders), warnings]).toEqual([key, next, []])
  })

  it('gets no name that its configuration would read as something else', async () => {
    const names = { hosts: ['nas$x', 'a\n[extensions]'], addresses: [] }
    const { cert } = await makeSelfSigned({ names, now: NOW, sign: selfSigner(folders) })
    expect(new X509Certificate(cert).publicKey.asymmetricKeyType).toBe('rsa')
  })

  it('signs with the RSA key of a certificate that we made before', async () => {
    const before = await start(0)
    sign = selfSigner(folders)
    const after = await start(NOW)
    expect([after.key, covers(after.cert, NOW), isSelfMade(after)]).toEqual([before.key, true, true])
  })

  it('missing, leaves an EC certificate of ours as it is, and the log says so', async () => {
    sign = selfSigner(folders)
    const { cert } = await start(0)
    sign = undefined
    expect((await start(NOW)).cert).toBe(cert)
    expect(warnings).toEqual(['the self-made certificate could not be made anew'])
  })
})

describe('a first start', () => {
  it.each([
    ['::ffff:10.0.0.1', ['127.0.0.1', '0:0:0:0:0:0:0:1', '10.0.0.1']],
    ['fe80::1%eth0', ['127.0.0.1', '0:0:0:0:0:0:0:1']],
    ['2001:DB8::7', ['127.0.0.1', '0:0:0:0:0:0:0:1', '2001:DB8:0:0:0:0:0:7']],
  ])('makes a certificate for %s', async (host, addresses) => {
    const { cert } = await start(NOW, { host })
    expect(new X509Certificate(cert).subjectAltName?.match(/(?<=IP Address:)[^,]+/g)).toEqual(addresses)
    expect(warnings).toEqual([])
  })

  it('makes one for localhost when it cannot make one for the names of the machine', async () => {
    const odd = {
      ...MACHINE,
      get hosts(): string {
        throw new Error('no names today')
      },
    }
    const { cert } = await start(NOW, { machine: odd })
    expect(warnings).toEqual([expect.stringContaining('one for localhost is served')])
    expect(new X509Certificate(cert).checkHost('localhost')).toBe('localhost')
  })

  it('leaves the file of a key as it is, whatever else is in it', async () => {
    const { cert, key } = await makeSelfSigned({ names: { hosts: ['nas'], addresses: [] }, now: NOW })
    mkdirSync(dirname(keyFile(folders)), { recursive: true })
    const both = `a note of somebody\n${key}${cert}`
    writeFileSync(keyFile(folders), both)
    const pair = await start(NOW)
    expect(readFileSync(keyFile(folders), 'utf8')).toBe(both)
    expect(readPair(folders)).toEqual(pair)
  })
})
