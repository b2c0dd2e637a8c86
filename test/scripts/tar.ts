// Tar archives and update packages byte by byte, good ones and evil ones. Nothing here is checked, that is the point.
import { createCipheriv, createHash, createSign, pbkdf2Sync, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { FIXTURES } from './harness.ts'

export interface Member {
  name: string
  data?: string | Uint8Array
  /** `0` file, `1` hard link, `2` link, `3` device, `5` folder, `x` extended header… */
  type?: string
  link?: string
  mode?: number
}

function header({ name, data = '', type = '0', link = '', mode = 0o644 }: Member): Buffer {
  const block = Buffer.alloc(512)
  const octal = (value: number, offset: number, width: number) =>
    block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, offset, 'latin1')
  block.write(name, 0, 100)
  octal(mode, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(Buffer.from(data).length, 124, 12)
  octal(1_700_000_000, 136, 12)
  block.write(type, 156)
  block.write(link, 157, 100)
  block.write('ustar\x0000', 257, 'latin1')
  block.write('root', 265)
  block.write('root', 297)
  return seal(block)
}

/** Writes a header's checksum. */
export function seal(block: Buffer): Buffer {
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

export function tar(members: Member[]): Buffer {
  const parts = members.flatMap((member) => {
    const data = Buffer.from(member.data ?? '')
    return [header(member), data, Buffer.alloc((512 - (data.length % 512)) % 512)]
  })
  const body = Buffer.concat([...parts, Buffer.alloc(1024)])
  return Buffer.concat([body, Buffer.alloc((10240 - (body.length % 10240)) % 10240)])
}

export const key = (name = 'updates.key') => readFileSync(join(FIXTURES, name), 'utf8').split('\n', 1)[0]!

export function encrypt(plain: Uint8Array, password = key()): Buffer {
  const salt = randomBytes(8)
  const secret = pbkdf2Sync(password, salt, 10_000, 48, 'sha256')
  const cipher = createCipheriv('aes-256-cbc', secret.subarray(0, 32), secret.subarray(32))
  return Buffer.concat([Buffer.from('Salted__'), salt, cipher.update(plain), cipher.final()])
}

/** As openssl's `-md md5` without `-pbkdf2`. */
export function encryptMd5(plain: Uint8Array, password = key()): Buffer {
  const salt = randomBytes(8)
  let secret = Buffer.alloc(0)
  let last = Buffer.alloc(0)
  while (secret.length < 48) {
    last = createHash('md5')
      .update(Buffer.concat([last, Buffer.from(password), salt]))
      .digest()
    secret = Buffer.concat([secret, last])
  }
  const cipher = createCipheriv('aes-256-cbc', secret.subarray(0, 32), secret.subarray(32))
  return Buffer.concat([Buffer.from('Salted__'), salt, cipher.update(plain), cipher.final()])
}

export function sign(data: Uint8Array, name = 'updates.priv'): Buffer {
  return createSign('sha256')
    .update(data)
    .sign(readFileSync(join(FIXTURES, name)))
}

export const DATA = 'software_package.tar.gz'
export const SIGN = `${DATA}.sign`

export const OK_SCRIPT = '#!/bin/sh\necho applying\necho 1.3.0 > ../../etc/version.txt\ntouch ../updated.marker\n'

/** What a vendor packs, and signs. */
export function inner({ version = '1.3.0', script = OK_SCRIPT, members = [] as Member[] } = {}): Buffer {
  const files: Member[] = []
  if (version) files.push({ name: 'version.txt', data: `${version}\n` })
  if (script) files.push({ name: 'update.sh', data: script, mode: 0o755 })
  return gzipSync(tar([...files, ...members]))
}

/** The two members of a good outer tar. */
export function outer(data = inner()): Member[] {
  return [
    { name: DATA, data },
    { name: SIGN, data: sign(data) },
  ]
}

export const pack = (members: Member[]) => encrypt(tar(members))
