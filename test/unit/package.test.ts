// Update packages against the real openssl, GNU tar and busybox tar, both ways. Packages of the shared fixtures are
// made by other hands than ours; without them the readers would only be tested against our own writer.
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { type Pack, pack } from 'tar-stream'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { buildPackage } from '../../src/features/package/build.ts'
import { readPassphrase } from '../../src/features/package/cipher.ts'
import { listContents, verifySignature } from '../../src/features/package/read.ts'
import { compareVersions, isVersion, prereleaseDoubt } from '../../src/features/package/version.ts'
import { runs } from '../harness/fuzz.ts'

type HeaderArgument = Parameters<Pack['entry']>[0]

const FIXTURES = resolve(import.meta.dirname, '../../../shared/tools/jidoteki-replay/fixtures')
const VERIFY = 'Error verifying software update package signature'
const DECRYPT = 'Error decrypting software update package'
const EXTRACT = 'Error extracting software update package'

let root: string
let folder: string
let out: string
let keyFile: string
let privFile: string
let pubFile: string
let passphrase: Buffer
let signingKey: KeyObject
let publicKey: KeyObject

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'edge-package-'))
  keyFile = join(root, 'updates.key')
  privFile = join(root, 'updates.priv')
  pubFile = join(root, 'updates.pub')
  writeFileSync(keyFile, 'a pass phrase with blanks\nand a second line\n')
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
  signingKey = pair.privateKey
  publicKey = pair.publicKey
  writeFileSync(privFile, signingKey.export({ type: 'pkcs8', format: 'pem' }))
  writeFileSync(pubFile, publicKey.export({ type: 'spki', format: 'pem' }))
  passphrase = readPassphrase(keyFile)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

beforeEach(() => {
  rmSync(join(root, 'w'), { recursive: true, force: true })
  folder = join(root, 'w/payload')
  out = join(root, 'w/package.enc')
  mkdirSync(join(folder, 'sub/deep'), { recursive: true })
  writeFileSync(join(folder, 'update.sh'), '#!/bin/sh\nexit 0\n')
  chmodSync(join(folder, 'update.sh'), 0o755)
  writeFileSync(join(folder, 'sub/data.bin'), Buffer.alloc(200_000, 'payload '))
  writeFileSync(join(folder, 'sub/empty'), '')
})

const build = (more = {}) => buildPackage({ folder, passphrase, signingKey, version: '1.2.3', out, time: 0, ...more })
const source = (file = out) => ({ file, passphrase })
const shell = (command: string, env: Record<string, string> = {}) =>
  execFileSync('bash', ['-euo', 'pipefail', '-c', command], {
    cwd: join(root, 'w'),
    env: { ...process.env, ...env },
    stdio: 'pipe',
  })

/** The outer tar as openssl decrypts it. */
function decryptOutside(file = out) {
  shell(`openssl enc -d -aes-256-cbc -md sha256 -pbkdf2 -pass file:${keyFile} -in ${file} -out outer.tar`)
  return readFileSync(join(root, 'w/outer.tar'))
}

/** A package made by openssl and the given tar bytes or command, as a vendor's own script does it. */
function encryptOutside(outer: Buffer, options = '-md sha256 -pbkdf2') {
  writeFileSync(join(root, 'w/own.tar'), outer)
  shell(`openssl enc -aes-256-cbc ${options} -salt -pass file:${keyFile} -in own.tar -out package.enc`)
}

async function tarOf(entries: [HeaderArgument, string | Buffer][]): Promise<Buffer> {
  const archive = pack()
  // A copy: tar-stream fills the header in.
  for (const [header, body] of entries) archive.entry({ ...header }, body)
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Signed and encrypted as it should be, around an inner archive that is not. */
async function packageAround(inner: Buffer) {
  writeFileSync(join(root, 'w/inner'), inner)
  shell(`openssl dgst -sha256 -sign ${privFile} -out inner.sign inner`)
  const signature = readFileSync(join(root, 'w/inner.sign'))
  encryptOutside(
    await tarOf([
      [{ name: 'software_package.tar.gz' }, inner],
      [{ name: 'software_package.tar.gz.sign' }, signature],
    ]),
  )
}

/** The two members of a good package. */
async function parts() {
  await build()
  decryptOutside()
  shell('rm -rf o; mkdir o; tar -xf outer.tar -C o')
  const read = (name: string) => readFileSync(join(root, 'w/o', name))
  return { inner: read('software_package.tar.gz'), signature: read('software_package.tar.gz.sign') }
}

async function gzipped(entries: [HeaderArgument, string | Buffer][]) {
  writeFileSync(join(root, 'w/plain'), await tarOf(entries))
  return shell('gzip -nc plain')
}

describe('a package that we build', () => {
  it.each(['tar', 'busybox tar'])('decrypts with openssl, verifies with openssl and unpacks with %s', async (tar) => {
    mkdirSync(join(folder, 'd'.repeat(90)))
    writeFileSync(join(folder, 'd'.repeat(90), 'n'.repeat(150)), 'long')
    writeFileSync(join(folder, 'grüße 日本'), 'wide')
    symlinkSync('../sub/data.bin', join(folder, 'd'.repeat(90), 'link'))
    await build()
    decryptOutside()
    shell(`mkdir o i; ${tar} -xf outer.tar -C o; cd o
      openssl dgst -sha256 -verify ${pubFile} -signature software_package.tar.gz.sign software_package.tar.gz
      gzip -dc software_package.tar.gz | ${tar} -xf - -C ../i
      cd ../i; echo 1.2.3 | cmp - version.txt; rm version.txt; diff -r . ../payload`)
    expect(readdirSync(join(root, 'w/o')).sort()).toEqual(['software_package.tar.gz', 'software_package.tar.gz.sign'])
    expect(shell('stat -c %a i/update.sh').toString()).toBe('755\n')
    expect(shell(`readlink i/${'d'.repeat(90)}/link`).toString()).toBe('../sub/data.bin\n')
  })

  it('has an outer tar of two plain ustar members in whole records', async () => {
    await build()
    const outer = decryptOutside()
    expect(outer.length % 10_240).toBe(0)
    expect(outer.toString('latin1', 257, 265)).toBe('ustar\x0000')
    expect(outer.toString('latin1', 156, 157)).toBe('0')
    expect(shell('tar -tf outer.tar').toString()).toBe('software_package.tar.gz\nsoftware_package.tar.gz.sign\n')
  })

  it.each(['dash', 'busybox ash'])('is taken by the script of the appliance under %s', async (interpreter) => {
    await build()
    const library = resolve(import.meta.dirname, '../../scripts/package.sh')
    const script = `. "${library}"; package_decrypt "$1" "$2" work -md sha256 -pbkdf2 || exit; package_verify work "$3" || exit
      mkdir out && package_unpack work out 1000000 && cat out/version.txt`
    const [program = '', ...args] = [...interpreter.split(' '), '-c', script, 'x', out, keyFile, pubFile]
    expect(execFileSync(program, args, { cwd: join(root, 'w') }).toString()).toBe('1.2.3\n')
  })

  it('holds the same bytes whenever and wherever it is built', async () => {
    const digest = () => createHash('sha256').update(decryptOutside()).digest('hex')
    await build({ time: 1_700_000_000 })
    const first = digest()
    const copy = join(root, 'w/other')
    shell('mkdir other; cp -R payload/sub payload/update.sh other/; touch -d 2001-01-01 other/update.sh')
    await build({ time: 1_700_000_000, folder: copy })
    expect(digest()).toBe(first)
    await build({ time: 1_700_000_001 })
    expect(digest()).not.toBe(first)
  })

  it('is salted: two builds are never the same file', async () => {
    await build()
    const first = readFileSync(out)
    await build()
    expect(readFileSync(out).equals(first)).toBe(false)
    expect(readFileSync(out).length).toBe(first.length)
  })

  it('belongs to root, has the given time, keeps modes and drops set-user-id', async () => {
    chmodSync(join(folder, 'sub/data.bin'), 0o4640)
    await build({ time: 86_400 })
    decryptOutside()
    const list = shell(
      'tar -xOf outer.tar software_package.tar.gz | TZ=UTC tar -tzv --numeric-owner --full-time',
    ).toString()
    for (const line of list.trim().split('\n')) expect(line).toMatch(/ 0\/0 +\d+ 1970-01-02 00:00:00 \.\//)
    expect(list).toMatch(/^-rw-r----- .* \.\/sub\/data\.bin$/m)
    expect(
      list
        .trim()
        .split('\n')
        .map((line) => line.split(' ').at(-1)),
    ).toEqual(['./version.txt', './sub/', './sub/data.bin', './sub/deep/', './sub/empty', './update.sh'])
  })

  it('takes its version from version.txt, and refuses two versions', async () => {
    writeFileSync(join(folder, 'version.txt'), '2.0.0\nmore\n')
    await expect(build({ version: undefined })).resolves.toMatchObject({ version: '2.0.0', hasScript: true })
    expect(await listContents(source())).toMatchObject({ version: '2.0.0' })
    await expect(build({ version: '2.0.1' })).rejects.toThrow('says another version')
    rmSync(join(folder, 'version.txt'))
    await expect(build({ version: undefined })).rejects.toThrow('no version')
    await expect(build({ version: '1 2' })).rejects.toThrow('letters, digits')
    await expect(build({ version: '-1' })).rejects.toThrow('letters, digits')
  })

  it('says when there is no update.sh', async () => {
    rmSync(join(folder, 'update.sh'))
    await expect(build()).resolves.toMatchObject({ hasScript: false })
  })

  it.each([
    ['an absolute link', (f: string) => symlinkSync('/etc/passwd', join(f, 'x'))],
    ['a link out of the folder', (f: string) => symlinkSync('../x', join(f, 'x'))],
    ['a deep link out of the folder', (f: string) => symlinkSync('../../../x', join(f, 'sub/deep/x'))],
    ['a link that turns back', (f: string) => symlinkSync('deep/../../../x', join(f, 'sub/x'))],
    ['a pipe', (f: string) => execFileSync('mkfifo', [join(f, 'x')])],
    ['a folder called version.txt', (f: string) => mkdirSync(join(f, 'version.txt'))],
  ])('is refused for %s, and nothing is left', async (_name, spoil) => {
    spoil(folder)
    await expect(build()).rejects.toThrow(/neither|leaves|not a plain file/)
    expect(readdirSync(join(root, 'w'))).toEqual(['payload'])
  })

  it('packs links that stay inside, and a hard link as a file', async () => {
    symlinkSync('../sub/data.bin', join(folder, 'sub/inside'))
    linkSync(join(folder, 'sub/data.bin'), join(folder, 'hard'))
    await build()
    const { files } = await listContents(source())
    expect(files.find(({ name }) => name === 'hard')?.size).toBe(200_000)
    expect(files.find(({ name }) => name === 'sub/inside')?.size).toBe(0)
  })

  it('never lies in the folder it packs, never replaces what is not a file', async () => {
    await expect(build({ out: join(folder, 'x.enc') })).rejects.toThrow('lies in the folder')
    mkdirSync(out)
    await expect(build()).rejects.toThrow('not a plain file')
  })

  it('fails when a file shrinks, vanishes or becomes a link while it is built', async () => {
    const data = join(folder, 'sub/data.bin')
    const link = join(root, 'w/link')
    // The folder has been listed when the call returns, and nothing of it read.
    for (const [spoil, message] of [
      [() => truncateSync(data, 100), /changed while it was read/],
      [() => rmSync(data), /ENOENT/],
      [() => appendFileSync(data, 'more'), /changed while it was read/],
      [() => renameSync(link, data), /ELOOP/],
    ] as const) {
      symlinkSync('/etc/passwd', link)
      const building = build()
      spoil()
      await expect(building).rejects.toThrow(message)
      rmSync(link, { force: true })
      expect(readdirSync(join(root, 'w'))).toEqual(['payload'])
      rmSync(data, { force: true })
      writeFileSync(data, Buffer.alloc(200_000))
    }
  })

  it('leaves the old package alone when building fails half way', async () => {
    await build()
    const before = readFileSync(out)
    const ed25519 = generateKeyPairSync('ed25519').privateKey
    await expect(build({ signingKey: ed25519 })).rejects.toThrow()
    expect(readFileSync(out).equals(before)).toBe(true)
    expect(readdirSync(join(root, 'w')).sort()).toEqual(['package.enc', 'payload'])
  })
})

describe('reading a package', () => {
  const fixture = (name: string) => ({
    file: join(FIXTURES, `${name}.enc`),
    passphrase: readPassphrase(join(FIXTURES, 'updates.key')),
  })
  const fixtureKey = () => createPublicKey(readFileSync(join(FIXTURES, 'updates.pub')))

  it.each([
    ['pkg_ok', '1.3.0', ['payload.txt', 'update.sh', 'version.txt']],
    ['pkg_noscript', '1.3.0', ['payload.txt', 'version.txt']],
    ['pkg_noversion', null, ['payload.txt', 'update.sh']],
  ])('takes %s as other tools made it', async (name, version, names) => {
    await verifySignature(fixture(name), fixtureKey())
    const contents = await listContents(fixture(name))
    expect(contents.version).toBe(version)
    expect(contents.files.map((file) => file.name).sort()).toEqual(names)
    expect(contents.files.find((file) => file.name === 'payload.txt')).toEqual({
      name: 'payload.txt',
      size: 8,
      mode: '0644',
    })
    expect(contents.bytes).toBe(contents.files.reduce((sum, file) => sum + file.size, 0))
  })

  it.each([
    ['pkg_badsig', VERIFY],
    ['pkg_nosig', VERIFY],
    ['pkg_garbage', DECRYPT],
    ['pkg_wrongkey', DECRYPT],
    ['pkg_ok_md5', DECRYPT],
  ])('refuses %s with E1005', async (name, message) => {
    await expect(verifySignature(fixture(name), fixtureKey())).rejects.toMatchObject({ code: 'E1005', message })
  })

  it('takes the old key derivation when asked to', async () => {
    const old = { ...fixture('pkg_ok_md5'), legacyMd5: true }
    await verifySignature(old, fixtureKey())
    expect(await listContents(old)).toMatchObject({ version: '1.3.0' })
  })

  it('reads our own packages, also with an EC key', async () => {
    await build()
    await verifySignature(source(), publicKey)
    expect(await listContents(source())).toEqual({
      version: '1.2.3',
      bytes: 200_023,
      files: [
        { name: 'version.txt', size: 6, mode: '0644' },
        { name: 'sub/data.bin', size: 200_000, mode: '0644' },
        { name: 'sub/empty', size: 0, mode: '0644' },
        { name: 'update.sh', size: 17, mode: '0755' },
      ],
    })
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    await build({ signingKey: createPrivateKey(ec.privateKey.export({ type: 'pkcs8', format: 'pem' })) })
    await verifySignature(source(), ec.publicKey)
    await expect(verifySignature(source(), publicKey)).rejects.toThrow(VERIFY)
  })

  it('SEC-18: any flipped byte is refused', async () => {
    rmSync(join(folder, 'sub'), { recursive: true })
    await build()
    const good = readFileSync(out)
    const step = Math.max(1, Math.floor(good.length / 400))
    const taken: number[] = []
    for (let at = 0; at < good.length; at += step) {
      const bad = Buffer.from(good)
      bad[at] = (bad[at] as number) ^ 1
      writeFileSync(out, bad)
      const refusal = await verifySignature(source(), publicKey).then(
        () => undefined,
        (error) => error,
      )
      if (refusal === undefined) taken.push(at)
      else expect(refusal).toMatchObject({ code: 'E1005' })
    }
    expect(taken).toEqual([])
  })

  it('SEC-18: anything appended is refused', async () => {
    await build()
    const outer = decryptOutside()
    for (const extra of [Buffer.alloc(100), Buffer.from('x'.padEnd(512)), Buffer.alloc(1 << 20)]) {
      encryptOutside(Buffer.concat([outer, extra]))
      await expect(verifySignature(source(), publicKey)).rejects.toMatchObject({ code: 'E1005', message: VERIFY })
    }
    encryptOutside(Buffer.concat([outer, Buffer.alloc(512)]))
    await verifySignature(source(), publicKey)
    writeFileSync(out, Buffer.concat([readFileSync(out), Buffer.from('x')]))
    await expect(verifySignature(source(), publicKey)).rejects.toMatchObject({ code: 'E1005', message: DECRYPT })
  })

  it.each(['tar --format=v7', 'tar --format=gnu', 'tar --format=ustar', 'busybox tar'])(
    'takes an outer tar made by %s',
    async (tar) => {
      await build()
      decryptOutside()
      shell(
        `mkdir o; tar -xf outer.tar -C o; cd o; ${tar} -cf ../again.tar software_package.tar.gz software_package.tar.gz.sign`,
      )
      encryptOutside(readFileSync(join(root, 'w/again.tar')))
      await verifySignature(source(), publicKey)
      expect(await listContents(source())).toMatchObject({ version: '1.2.3' })
    },
  )

  it.each([0, 7, 16, 20, 4096, 10_000])('refuses a package cut to %i bytes', async (size) => {
    await build()
    truncateSync(out, size)
    await expect(verifySignature(source(), publicKey)).rejects.toMatchObject({ code: 'E1005', message: DECRYPT })
  })

  it('says what the disk says when it is the disk', async () => {
    await expect(verifySignature(source(join(root, 'nowhere')), publicKey)).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(listContents(source(root))).rejects.toMatchObject({ code: 'EISDIR' })
  })

  const DATA = { name: 'software_package.tar.gz' }
  const SIGN = { name: 'software_package.tar.gz.sign' }
  it.each<[string, HeaderArgument[]]>([
    ['a third member', [DATA, SIGN, { name: 'x' }]],
    ['the archive twice', [DATA, SIGN, DATA]],
    ['the signature twice', [DATA, SIGN, SIGN]],
    ['another name', [{ name: './software_package.tar.gz' }, SIGN]],
    ['a link', [{ ...DATA, type: 'symlink', linkname: 'x' }, SIGN]],
    ['only an archive', [DATA]],
    ['only a signature', [SIGN]],
    ['nothing', []],
  ])('refuses an outer tar with %s, though all of it is signed', async (_name, headers) => {
    const { inner, signature } = await parts()
    encryptOutside(
      await tarOf(headers.map((header) => [header, header.type ? '' : header.name === SIGN.name ? signature : inner])),
    )
    await expect(verifySignature(source(), publicKey)).rejects.toMatchObject({ code: 'E1005', message: VERIFY })
    await expect(listContents(source())).rejects.toMatchObject({ code: 'E1005', message: VERIFY })
  })

  it('reads no endless signature into memory', async () => {
    const { inner } = await parts()
    const outer = (size: number) =>
      tarOf([
        [DATA, inner],
        [SIGN, Buffer.alloc(size, 1)],
      ])
    encryptOutside(await outer(16_384))
    expect(await listContents(source())).toMatchObject({ version: '1.2.3' })
    encryptOutside(await outer(16_385))
    await expect(listContents(source())).rejects.toThrow(VERIFY)
  })

  it.each([
    ['checksum', 150, '7'],
    ['checksum’s spelling', 154, '0'],
    ['magic', 258, 'S'],
    ['mode', 102, '8'],
    ['link name', 160, 'x'],
    ['prefix', 346, 'x'],
  ])('refuses a member with a wrong %s', async (field, at, byte) => {
    const { inner, signature } = await parts()
    const outer = await tarOf([
      [SIGN, signature],
      [DATA, inner],
    ])
    const header = outer.subarray(512 + Math.ceil(signature.length / 512) * 512).subarray(0, 512)
    header.write(byte, at, 'latin1')
    if (!field.startsWith('checksum')) {
      const sum = header.reduce((total, value, i) => total + (i >= 148 && i < 156 ? 32 : value), 0)
      header.write(sum.toString(8).padStart(6, '0'), 148)
    }
    encryptOutside(outer)
    await expect(verifySignature(source(), publicKey)).rejects.toMatchObject({ code: 'E1005', message: VERIFY })
  })

  it('lists nothing of what the appliance would not unpack', async () => {
    for (const entry of [
      [{ name: '../x' }, 'x'],
      [{ name: '/etc/x' }, 'x'],
      [{ name: 'a/../../x' }, 'x'],
      [{ name: 'x', type: 'character-device' }, ''],
      [{ name: 'x', type: 'fifo' }, ''],
    ] as [HeaderArgument, string][]) {
      await packageAround(await gzipped([[{ name: 'ok' }, 'ok'], entry]))
      await verifySignature(source(), publicKey)
      await expect(listContents(source())).rejects.toMatchObject({ code: 'E1005', message: EXTRACT })
    }
    await packageAround(
      await gzipped([
        [{ name: 'x' }, 'x'],
        [{ name: './x' }, 'x'],
      ]),
    )
    await expect(listContents(source())).rejects.toThrow(EXTRACT)
  })

  it.each([
    ['no gzip', Buffer.from('garbage')],
    ['a cut gzip', execFileSync('sh', ['-c', 'head -c 100000 /dev/urandom | gzip -nc | head -c 50000'])],
    ['a gzip of no tar', execFileSync('sh', ['-c', 'head -c 100000 /dev/urandom | gzip -nc'])],
  ])('refuses %s as the inner archive', async (_name, inner) => {
    await packageAround(inner)
    await verifySignature(source(), publicKey)
    await expect(listContents(source())).rejects.toMatchObject({ code: 'E1005', message: EXTRACT })
  })

  it('SEC-17: does not wait for the bytes of a folder that claims to have some', async () => {
    const tar = await tarOf([[{ name: 'd', type: 'directory' }, '']])
    tar.write('00000000777 ', 124)
    tar.fill(' ', 148, 156)
    const sum = tar.subarray(0, 512).reduce((a, b) => a + b, 0)
    tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    writeFileSync(join(root, 'w/plain'), tar)
    await packageAround(shell('gzip -nc plain'))
    await expect(listContents(source())).rejects.toThrow(EXTRACT)
  })
})

describe('a passphrase file', () => {
  it.each([
    ['is empty', ''],
    ['begins with an empty line', '\nsecret\n'],
    ['has a NUL', 'a\0b\n'],
    ['is longer than openssl reads', `${'x'.repeat(1024)}\n`],
  ])('is refused when it %s', (_name, text) => {
    const file = join(root, 'w/key')
    writeFileSync(file, text)
    expect(() => readPassphrase(file)).toThrow('not a passphrase')
  })

  it('counts a carriage return and bytes that are no text, as openssl does', async () => {
    const other = join(root, 'w/key')
    writeFileSync(other, Buffer.from([0x61, 0xff, 0x20, 0x0d, 0x0a]))
    await build({ passphrase: readPassphrase(other) })
    shell(`openssl enc -d -aes-256-cbc -md sha256 -pbkdf2 -pass file:${other} -in package.enc | tar -t`)
  })
})

describe('versions', () => {
  const sorted = (list: string[]) =>
    spawnSync('sort', ['-V'], { input: `${list.join('\n')}\n`, env: { PATH: process.env['PATH'], LC_ALL: 'C' } })
      .stdout.toString()
      .trimEnd()
      .split('\n')

  it('compare as sort -V orders them', () => {
    const version = fc.stringMatching(/^[0-9a-z][0-9A-Za-z.+~_-]{0,9}$/)
    fc.assert(
      fc.property(fc.uniqueArray(version, { minLength: 30, maxLength: 60 }), (list) => {
        expect([...list].sort(compareVersions)).toEqual(sorted(list))
      }),
      { numRuns: runs(60) },
    )
  })

  it.each([
    ['1.10.0', '1.9.0', 1],
    ['1.0', '1.0.0', -1],
    ['1.0~rc1', '1.0', -1],
    // As the original has it; the manual says so (docs/vendors.md).
    ['3.0.0-rc1', '3.0.0', 1],
    ['3.0.0~rc1', '3.0.0', -1],
    ['3.0.0~rc1', '2.9', 1],
    ['1.01', '1.1', -1],
    ['2.0', '2.0', 0],
    ['99999999999999999999999', '99999999999999999999998', 1],
  ])('%s against %s', (a, b, order) => {
    expect(Math.sign(compareVersions(a, b))).toBe(order)
    expect(Math.sign(compareVersions(b, a))).toBe(-order || 0)
  })

  it.each([
    ['3.0.0-rc1', '3.0.0~rc1'],
    ['3.0.0rc1', '3.0.0~rc1'],
    ['2.1-beta.2', '2.1~beta.2'],
    ['1.0.0-SNAPSHOT', '1.0.0~SNAPSHOT'],
  ])('are doubted when they look older than they count: %s', (version, better) => {
    expect(prereleaseDoubt(version)).toMatch(new RegExp(`counts as newer .* ${better.replaceAll('.', '\\.')}$`))
    expect(prereleaseDoubt(better)).toBeUndefined()
  })
  it.each(['3.0.0', '3.0.0-1', '1.0-devel2', '2026-11', '1.0-hotfix1', 'rc1'])('are not doubted for %s', (version) => {
    expect(prereleaseDoubt(version)).toBeUndefined()
  })

  it('are short and plain', () => {
    expect(['1.2.3', '2026-11', '1.0~rc1+git_3', 'v1'].every(isVersion)).toBe(true)
    expect(['', '-1', '.1', '1 2', '1\n2', '1/2', 'é', 'x'.repeat(65)].some(isVersion)).toBe(false)
  })
})

it('has the fixtures it is tested against', () => expect(existsSync(join(FIXTURES, 'pkg_ok.enc'))).toBe(true))
