// SEC-16, the screen of backup archives, on archives made by hand. An archive that is refused for another reason than
// the one meant proves nothing, so each case names the reason.
import { spawnSync } from 'node:child_process'
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ApiError } from '../../src/errors.ts'
import {
  type ArchiveEntry,
  type ArchiveLimits,
  plainArchive,
  screenArchive,
} from '../../src/features/backup/archive.ts'
import { tree } from '../scripts/harness.ts'
import { archive, END, entry, GNU, header, long, pax, record, ZEROS } from './tar-builder.ts'

const LIMITS: ArchiveLimits = { entries: 100, bytes: 1024 * 1024, depth: 10 }

/** The names that pass, or the reason of the refusal. */
async function screen(bytes: Buffer, limits = LIMITS, chunk = bytes.length): Promise<string[] | string> {
  const seen: ArchiveEntry[] = []
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunk) }, (_, i) =>
    bytes.subarray(i * chunk, (i + 1) * chunk),
  )
  const source = Readable.from(chunks)
  try {
    const { entries } = await screenArchive(source, limits, (one) => seen.push(one))
    expect(entries).toBe(seen.length)
    return seen.map(({ name }) => name)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    expect(error).toMatchObject({ kind: 'invalid', message: 'Unable to extract backup archive' })
    expect(source.destroyed).toBe(true)
    return String(error.details?.reason)
  }
}

const dir = (name: string) => entry({ name, type: '5' })
const file = (name: string, content = '') => entry({ name, content })
const symlink = (name: string, link: string) => entry({ name, type: '2', link })
const hardLink = (name: string, link: string) => entry({ name, type: '1', link })
/** Seconds since 1970; the file has almost a second more, which Python rounds up and everybody else leaves out. */
const CHANGED = 1_700_000_000
const smuggled = entry({ name: 'smuggled' })

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'archive-'))
  const data = join(folder, 'data')
  mkdirSync(join(data, 'etc/deep'), { recursive: true })
  writeFileSync(join(data, 'etc/app.conf'), 'a=1\n')
  writeFileSync(join(data, 'etc/deep', 'n'.repeat(150)), 'long\n')
  writeFileSync(join(data, 'etc/grün'), 'umlaut\n')
  symlinkSync('../etc/app.conf', join(data, 'etc/link'))
  linkSync(join(data, 'etc/app.conf'), join(data, 'etc/other'))
  utimesSync(join(data, 'etc/app.conf'), CHANGED + 0.75, CHANGED + 0.75)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('SEC-16 archives that people have', () => {
  const made = ['etc/', 'etc/app.conf', 'etc/deep/', `etc/deep/${'n'.repeat(150)}`, 'etc/grün', 'etc/link', 'etc/other']
  it.each([
    ['GNU tar', ['tar', '--format=gnu']],
    ['busybox', ['busybox', 'tar']],
  ])('takes what %s makes', async (_, [program, ...options]) => {
    const { stdout, status } = spawnSync(program!, [...options, '-cf', '-', '-C', join(folder, 'data'), 'etc'])
    expect(status).toBe(0)
    expect([...(await screen(stdout))].sort()).toEqual(made)
    expect([...(await screen(stdout, LIMITS, 7))].sort()).toEqual(made)
  })
  it('takes what GNU tar makes of the folder itself, and counts its bytes', async () => {
    const { stdout } = spawnSync('tar', ['-cf', '-', '-C', join(folder, 'data'), '.'])
    const total = await screenArchive(Readable.from([stdout]), LIMITS)
    expect(total).toEqual({ entries: 8, bytes: 4 + 5 + 7 })
  })
  it('takes pax headers that carry times, as GNU tar and python write them', async () => {
    const { stdout } = spawnSync('tar', ['--format=posix', '-cf', '-', '-C', join(folder, 'data'), 'etc/app.conf'])
    expect(stdout.toString('latin1')).toContain('mtime=')
    expect(await screen(stdout)).toEqual(['etc/app.conf'])
  })
  it('takes names and targets in pax headers, global headers, and what other programs say besides', async () => {
    const long = `deep/${'n'.repeat(150)}`
    const attributes =
      record('LIBARCHIVE.xattr.com.apple.quarantine', 'AAA=') + record('SCHILY.xattr.user.x', 'a\0\n9 path=')
    const bytes = archive(
      pax(record('comment', 'a commit') + record('hdrcharset', 'BINARY'), 'g'),
      dir('deep'),
      pax(record('path', Buffer.from(long).toString('latin1'))),
      file('deep/nnn', 'x'),
      pax(record('path', Buffer.from('Kä').toString('latin1')) + attributes),
      file('K?', 'y'),
      pax(record('linkpath', long)),
      symlink('l', 'short'),
    )
    expect(await screen(bytes)).toEqual(['deep', long, 'Kä', 'l'])
    expect(await screen(bytes, LIMITS, 7)).toEqual(['deep', long, 'Kä', 'l'])
  })
  it.each([
    ['GNU tar', ['tar', '--format=posix']],
    ['GNU tar in its own format', ['tar', '--format=gnu']],
    [
      'python',
      [
        'python3',
        '-c',
        'import sys,tarfile; t=tarfile.open(fileobj=sys.stdout.buffer,mode="w|"); t.add(sys.argv[-2]+"/"+sys.argv[-1], sys.argv[-1]); t.close()',
      ],
    ],
  ])('writes anew what %s makes, so that both tar programs unpack the same', async (_, [program, ...options]) => {
    const more = program === 'tar' ? ['-cf', '-', '-C', join(folder, 'data'), 'etc'] : [join(folder, 'data'), 'etc']
    const { stdout } = spawnSync(program as string, [...options, ...more])
    const chunks: Buffer[] = []
    const out = new Writable({
      write(chunk, _encoding, done) {
        chunks.push(chunk)
        done()
      },
    })
    await plainArchive(Readable.from([stdout]), LIMITS, out)
    for (const [tar, ...words] of [['tar'], ['busybox', 'tar']] as [string, ...string[]][]) {
      const to = mkdtempSync(join(folder, 'out-'))
      const { stderr } = spawnSync(tar, [...words, '-xf', '-', '-C', to], {
        input: Buffer.concat(chunks),
        encoding: 'utf8',
      })
      expect([stderr, tree(to)]).toEqual(['', tree(join(folder, 'data'))])
      expect(Math.floor(statSync(join(to, 'etc/app.conf')).mtimeMs / 1000)).toBe(CHANGED)
    }
  })
  it('takes the archive recorded with the original', async () => {
    const bytes = readFileSync(new URL('../../../shared/tools/jidoteki-replay/fixtures/backup_ok.tar', import.meta.url))
    expect(await screen(bytes)).toEqual(['etc/', 'etc/restored.conf', 'home/'])
  })
  it('takes links that stay inside, and files that are set with a sticky bit', async () => {
    const links = archive(
      dir('a'),
      symlink('a/up', '..'),
      symlink('a/beside', './x//y/'),
      symlink('top', 'a/b/c'),
      file('a/file'),
      hardLink('copy', './a/file'),
      entry({ name: 'd', type: '5', mode: '0002775\0' }),
    )
    expect(await screen(links)).toHaveLength(7)
  })
})

describe('SEC-16 names and links that are refused', () => {
  it.each<[string, string, Buffer]>([
    ['an absolute name', 'an absolute name', archive(file('/etc/passwd'))],
    ['an absolute long name', 'an absolute name', archive(long('/etc/passwd'), file('x'))],
    ['.. at the start', 'a name with ..', archive(file('../x'))],
    ['.. inside', 'a name with ..', archive(file('a/../../x'))],
    ['.. at the end of a folder', 'a name with ..', archive(dir('a/..'))],
    ['.. by way of the prefix field', 'a name with ..', archive(entry({ prefix: '..', name: 'x' }))],
    ['an absolute prefix', 'an absolute name', archive(entry({ prefix: '/etc', name: 'x' }))],
    ['doubled slashes', 'a name that is not plain', archive(file('a//b'))],
    ['an inner dot', 'a name that is not plain', archive(file('a/./b'))],
    ['a file with a slash at its end', 'a name that is not plain', archive(entry({ name: 'a/', content: 'x' }))],
    ['the folder itself as a file', 'a name that is not plain', archive(file('.'))],
    ['a newline', 'a control character in a name', archive(file('a\nb'))],
    ['an escape sequence', 'a control character in a name', archive(file('\x1b[2J'))],
    ['a component of 256 bytes', 'a name too long', archive(long('n'.repeat(256)), file('x'))],
    ['a name of 4097 bytes', 'a description too long or empty', archive(long('n/'.repeat(2049)), file('x'))],
    ['eleven folders deep', 'folders too deep', archive(file(`${'d/'.repeat(10)}x`))],
    ['a name twice', 'two entries of one name', archive(file('a'), file('a'))],
    ['a name twice, once with ./', 'two entries of one name', archive(file('a'), file('./a'))],
    ['a folder twice, once with a slash', 'two entries of one name', archive(dir('a'), dir('a/'))],
    ['a file in place of a folder', 'two entries of one name', archive(file('a/b'), file('a'))],
    ['letter case', 'two names that differ by letter case only', archive(file('Read'), file('rEad'))],
    ['letter case of folders', 'two names that differ by letter case only', archive(file('A/x'), file('a/y'))],
    [
      'a composed and a decomposed letter',
      'two names that differ by letter case only',
      archive(file('\xc3\xbc'), file('u\xcc\x88')),
    ],
    ['an absolute link', 'a link to an absolute name', archive(symlink('l', '/etc/passwd'))],
    ['a link outside', 'a link that leads outside', archive(symlink('l', '../x'))],
    ['a link outside from a folder', 'a link that leads outside', archive(symlink('a/l', '../../x'))],
    [
      'a long link outside',
      'a link that leads outside',
      archive(long(`../${'n'.repeat(150)}`, 'K'), symlink('l', 'x')),
    ],
    [
      'a link whose way back leads outside',
      'a link that goes down and up again',
      archive(symlink('a/b/s', '../..'), symlink('a/b/t', 's/../..')),
    ],
    ['a link without a target', 'an empty name', archive(symlink('l', ''))],
    ['a file behind a link', 'an entry inside a file or behind a link', archive(symlink('l', 'd'), file('l/x'))],
    ['a folder behind a link', 'an entry inside a file or behind a link', archive(symlink('l', 'd'), dir('l/x/y/'))],
    ['a link in place of a folder', 'two entries of one name', archive(file('d/x'), symlink('d', 'e'))],
    [
      'a link behind a link by letter case',
      'two names that differ by letter case only',
      archive(symlink('L', 'd'), file('l/x')),
    ],
    ['a file inside a file', 'an entry inside a file or behind a link', archive(file('f'), file('f/x'))],
    ['a hard link outside', 'a name with ..', archive(hardLink('h', '../x'))],
    ['an absolute hard link', 'an absolute name', archive(hardLink('h', '/etc/shadow'))],
    ['a hard link to what the disk may have', 'a hard link to what is not there', archive(hardLink('h', 'x'))],
    [
      'a hard link to a link',
      'a hard link to what is not there',
      archive(symlink('a/b/s', '../..'), hardLink('h', 'a/b/s')),
    ],
    [
      'a hard link through a link',
      'a hard link to what is not there',
      archive(file('d/x'), symlink('l', 'd'), hardLink('h', 'l/x')),
    ],
    ['a hard link to a folder', 'a hard link to what is not there', archive(dir('d'), hardLink('h', 'd'))],
    ['a hard link with other letter case', 'a hard link to what is not there', archive(file('d'), hardLink('h', 'D'))],
    ['a set-user-id file', 'a set-user-id or set-group-id file', archive(entry({ mode: '0004755\0' }))],
    [
      'a set-group-id hard link',
      'a set-user-id or set-group-id file',
      archive(file('f'), entry({ name: 'h', type: '1', link: 'f', mode: '0002755\0' })),
    ],
  ])('refuses %s', async (_, reason, bytes) => {
    expect(await screen(bytes)).toBe(reason)
    expect(await screen(bytes, LIMITS, 13)).toBe(reason)
  })
  it.each(['3', '4', '6', '7', 'S', 'D', 'M', 'N', 'V', 'X', 'A', '9', '\xff'])(
    'refuses an entry of type %j',
    async (type) => {
      expect(await screen(archive(entry({ type })))).toBe('neither a file, a folder nor a link')
    },
  )
})

describe('SEC-16 limits', () => {
  it('stops at the cap of entries, long before an endless archive ends', async () => {
    let made = 0
    const source = Readable.from(
      (function* () {
        for (; made < 10_000_000; made++) yield header({ name: `f${made}` })
      })(),
    )
    await expect(screenArchive(source, { ...LIMITS, entries: 1000 })).rejects.toMatchObject({
      details: { reason: 'too many entries' },
    })
    expect(source.destroyed).toBe(true)
    expect(made).toBeLessThan(2000)
  })
  it('counts the folders that names imply', async () => {
    const names = Array.from({ length: 20 }, (_, i) => file(`${i}/a/b/c/d/e`))
    expect(await screen(archive(...names))).toBe('too many entries')
  })
  it('adds up the sizes that the headers promise, before any of it arrives', async () => {
    const large = header({ name: 'a', size: '00004000001\0' })
    expect(await screen(Buffer.concat([large, END]))).toBe('too many bytes')
    const two = archive(file('a', 'x'.repeat(600_000)), file('b', 'x'.repeat(600_000)))
    expect(await screen(two)).toBe('too many bytes')
  })
  it('ends an archive that is itself too large', async () => {
    const zeros = archive(file('a'), Buffer.alloc(102_400))
    expect(await screen(zeros)).toEqual(['a'])
    expect(await screen(zeros, { ...LIMITS, archiveBytes: 50_000 })).toBe('the archive is too large')
  })
  it('takes a size in the binary form of more than 8 GiB for what it is', async () => {
    const huge = header({ name: 'a', size: `\x80${'\0'.repeat(6)}\x02${'\0'.repeat(4)}` })
    expect(await screen(huge, { ...LIMITS, bytes: 2 ** 33 - 1 })).toBe('too many bytes')
    expect(await screen(huge, { ...LIMITS, bytes: 2 ** 33 })).toBe('the archive is cut short')
  })
})

describe('SEC-16 archives that two programs read differently', () => {
  it.each<[string, string, Buffer]>([
    ['a pax path that climbs', 'a name with ..', archive(pax(record('path', '../real')), file('fake'))],
    ['a pax path of nothing', 'a name that is not UTF-8', archive(pax(record('path', '')), file('fake'))],
    ['a pax path in latin1', 'a name that is not UTF-8', archive(pax(record('path', 'K\xe4')), file('fake'))],
    [
      'a pax path that says that it is binary, and is',
      'a name that is not UTF-8',
      archive(pax(record('hdrcharset', 'BINARY') + record('path', 'K\xe4')), file('fake')),
    ],
    [
      'two pax paths',
      'two descriptions of one entry',
      archive(pax(record('path', 'a') + record('path', 'b')), file('fake')),
    ],
    [
      'a pax path beside a long name',
      'two names for one entry',
      archive(long('long'), pax(record('path', 'b')), file('fake')),
    ],
    [
      'a file of a pax path that is there',
      'two entries of one name',
      archive(file('a'), pax(record('path', 'a')), file('b')),
    ],
    ['a file with a pax target', 'a target of what is no link', archive(pax(record('linkpath', 'x')), file('a'))],
    [
      'a right that a pax header grants',
      'a pax header that changes what an entry is',
      archive(pax(record('SCHILY.xattr.security.capability', 'x')), file('a')),
    ],
    ['a pax size', 'two sizes for one entry', archive(pax(record('size', '0')), file('a', 'x'), smuggled)],
    ['a pax target', 'a link that leads outside', archive(pax(record('linkpath', '../x')), symlink('l', 'x'))],
    [
      'a sparse map',
      'a pax header that changes what an entry is',
      archive(pax(record('GNU.sparse.name', 'x')), file('a')),
    ],
    [
      'a name set for the prototype',
      'a pax header that changes what an entry is',
      archive(pax(record('__proto__', 'x')), file('a')),
    ],
    ['a pax record cut short', 'a pax header that cannot be read', archive(pax('30 mtime=1\n'), file('a'))],
    [
      'a pax record with a second one hidden in it',
      'a pax header that cannot be read',
      archive(pax(record('comment', 'a\n11 path=x')), file('a')),
    ],
    [
      'a pax header for all that follow',
      'a pax header that names all that follow',
      archive(pax(record('path', 'real'), 'g'), file('fake')),
    ],
    [
      'a global header before its entry',
      'two descriptions of one entry',
      archive(long('a'), pax(record('comment', 'x'), 'g'), file('b')),
    ],
    [
      'a folder with contents',
      'a folder or link with contents',
      archive(entry({ name: 'd', type: '5', content: header({}).toString('latin1') })),
    ],
    [
      'a link with contents',
      'a folder or link with contents',
      archive(entry({ name: 'l', type: '2', link: 'x', size: '00000001000\0' }), smuggled),
    ],
    [
      'a prefix in GNU format',
      'a prefix in a format without prefixes',
      archive(entry({ name: 'n', magic: GNU, prefix: '../..' })),
    ],
    ['an empty name', 'an empty name', archive(entry({ name: '\0b' }))],
    ['an empty name after a long one', 'an empty name', archive(long('long'), entry({ name: '\0' }))],
    [
      'an empty file with the target of a hard link',
      'a target of what is no link',
      archive(entry({ name: 'a', link: '/etc/passwd' })),
    ],
    [
      'an empty file with a long target',
      'a target of what is no link',
      archive(long('/etc/passwd', 'K'), entry({ name: 'a' })),
    ],
    ['one block of zeros', 'something follows the end of the archive', archive(file('a'), ZEROS, smuggled)],
    ['entries behind the end', 'something follows the end of the archive', archive(file('a'), END, smuggled)],
    [
      'two archives in a row',
      'something follows the end of the archive',
      Buffer.concat([archive(file('a')), archive(file('b'))]),
    ],
    ['the format without a name', 'not a tar archive of a known format', archive(entry({ magic: '\0'.repeat(8) }))],
    ['a negative size', 'a size that is no size', archive(entry({ size: '\xff'.repeat(12) }))],
    [
      'a size of 2^53',
      'a size that is no size',
      archive(entry({ size: `\x80${'\0'.repeat(4)}\x20${'\0'.repeat(6)}` })),
    ],
    ['a size with a minus', 'a size that is no size', archive(entry({ size: '-0000000001\0' }))],
    ['a size in two words', 'a size that is no size', archive(entry({ size: '0000000 1000' }), smuggled)],
    ['a mode in base 64', 'a mode that is no mode', archive(entry({ mode: '+AAJ7w=\0' }))],
    ['two long names', 'two descriptions of one entry', archive(long('one'), long('two'), file('x'))],
    [
      'a long name with more behind its end',
      'a long name with something behind its end',
      archive(long('one\0/../x'), file('x')),
    ],
    ['a long name of nothing', 'a description too long or empty', archive(entry({ type: 'L' }), file('x'))],
    ['a long name at the end', 'a description without an entry', archive(file('a'), long('one'))],
    ['a name that starts as bzip2', 'the archive is compressed', archive(file('BZh91AY&SY'))],
    ['a name that starts as xz', 'the archive is compressed', archive(file('\xfd7zXZ'))],
  ])('refuses %s', async (_, reason, bytes) => {
    expect(await screen(bytes)).toBe(reason)
    expect(await screen(bytes, LIMITS, 100)).toBe(reason)
  })
  it('takes a name that starts as bzip2 where it is not the first', async () => {
    expect(await screen(archive(file('a'), file('BZh9')))).toEqual(['a', 'BZh9'])
  })
})

describe('SEC-16 archives that are none', () => {
  const good = archive(file('a', 'x'.repeat(600)), file('b'))
  it.each<[string, string, Buffer]>([
    ['no bytes', 'the archive is cut short', Buffer.alloc(0)],
    ['garbage', 'not a tar archive of a known format', Buffer.alloc(2048, 'garbage ')],
    ['a text', 'the archive is cut short', Buffer.from('hello\n')],
    [
      'gzip',
      'the archive is compressed',
      gzipSync(Buffer.concat(Array.from({ length: 99 }, (_, i) => header({ name: `${i}` }))), { level: 0 }),
    ],
    ['nothing but the end', 'the archive is empty', END],
    ['a missing end', 'the archive is cut short', good.subarray(0, good.length - 1024)],
    ['half an end', 'the archive is cut short', good.subarray(0, good.length - 512)],
    ['a cut content', 'the archive is cut short', good.subarray(0, 700)],
    ['a cut header', 'the archive is cut short', good.subarray(0, 300)],
    ['an odd byte behind the end', 'the archive is cut short', Buffer.concat([good, Buffer.alloc(1)])],
  ])('refuses %s', async (_, reason, bytes) => {
    expect(await screen(bytes)).toBe(reason)
  })
  it('refuses a header with a wrong checksum', async () => {
    const damaged = Buffer.from(good)
    damaged[0]!++
    expect(await screen(damaged)).toBe('not a tar archive, or a damaged one')
  })
  it('refuses an archive that is cut at any block', async () => {
    for (let length = 0; length < good.length; length += 512) {
      expect(await screen(good.subarray(0, length))).toBe('the archive is cut short')
    }
  })
  it('throws the fault of the disk as it is', async () => {
    const source = new Readable({
      read() {
        this.destroy(Object.assign(new Error('i/o error'), { code: 'EIO' }))
      },
    })
    await expect(screenArchive(source, LIMITS)).rejects.toMatchObject({ code: 'EIO' })
  })
})
