// Why a restore was refused: in the answer, beside the contract's words, and in the log. And what somebody planted in
// the uploads is put out of the way. With `--compat original` the answer has to stay the original's, to the byte.
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { archive, entry, long, pax, record } from '../unit/tar-builder.ts'
import { FIXTURES, type InProcess, startAppliance } from './appliance.ts'
import { file, until } from './client.ts'

let box: InProcess | undefined
afterEach(() => box?.close())

const restore = ({ call }: InProcess, bytes: Buffer) =>
  call('POST', '/backup/restore', { form: [file('archive', bytes)] })
const good = archive(entry({ name: 'etc/x', content: 'x' }))

describe('a restore that is refused', () => {
  const refusals: [string, (folder: string) => Buffer][] = [
    ['the archive is compressed', () => gzipSync(good)],
    ['the archive is encrypted', () => Buffer.concat([Buffer.from('Salted__12345678'), Buffer.alloc(1024)])],
    ['a name with ..', () => archive(pax(record('path', '../x')), entry({ name: 'x' }))],
    [
      'everything in it lies in a folder with the name of the data folder; pack what is inside of that one',
      () => archive(entry({ name: 'data', type: '5' }), entry({ name: 'data/etc/x', content: 'x' })),
    ],
  ]
  it.each(refusals)('says why: %s', async (reason, make) => {
    box = await startAppliance()
    const { status, body } = await restore(box, make(box.folders.data))
    expect([status, JSON.parse(body)]).toMatchObject([
      400,
      { 'Error-Message': 'Unable to extract backup archive', 'Error-Reason': reason },
    ])
    expect(box.read(join(box.folders.root, 'log/update_backup.log'))).toContain(`[SYSTEM] Restore refused: ${reason}\n`)
    expect(existsSync(join(box.folders.data, 'data'))).toBe(false)
  })

  it('says why the script could not put it in place', async () => {
    box = await startAppliance()
    mkdirSync(join(box.folders.data, 'etc/x'), { recursive: true })
    const { status, body } = await restore(box, good)
    expect([status, JSON.parse(body)['Error-Reason']]).toEqual([
      400,
      'The backup archive cannot be put in place: a folder is in the way: etc/x',
    ])
  })

  it('has nothing but the original’s words where the original is compared', async () => {
    box = await startAppliance({ mode: 'original' })
    const { body } = await restore(box, gzipSync(good))
    expect(JSON.parse(body)).toEqual({
      Status: '400 Bad Request',
      'Error-Message': 'Unable to extract backup archive',
      'First-Run': expect.anything(),
    })
  })
})

it('restores names in pax headers with the system’s own tar', async () => {
  box = await startAppliance()
  const deep = `pax/${'n'.repeat(120)}`
  const bytes = archive(
    pax(record('comment', 'x'), 'g'),
    entry({ name: 'pax', type: '5', mode: '0000755\0' }),
    pax(record('path', Buffer.from('pax/Kä').toString('latin1'))),
    entry({ name: 'unused', content: 'one' }),
    pax(record('path', deep)),
    entry({ name: 'unused', content: 'two' }),
    long('pax/short'),
    entry({ name: 'unused', content: 'three' }),
  )
  const { status, body } = await restore(box, bytes)
  expect([status, body]).toEqual([200, '{"Status":"200 OK"}'])
  const { data } = box.folders
  expect(['pax/Kä', deep, 'pax/short'].map((name) => readFileSync(join(data, name), 'utf8'))).toEqual([
    'one',
    'two',
    'three',
  ])
  expect(existsSync(join(data, 'unused'))).toBe(false)
})

describe('what somebody planted in the uploads', () => {
  const kinds: Record<string, (path: string, secret: string) => void> = {
    folder: (path) => mkdirSync(join(path, 'x'), { recursive: true }),
    link: (path, secret) => symlinkSync(secret, path),
    'dangling link': (path, secret) => symlinkSync(`${secret}-made`, path),
    pipe: (path) => execFileSync('mkfifo', [path]),
  }
  it.each(Object.keys(kinds))(
    'hinders nothing, and is named when it was put aside: a %s',
    async (kind) => {
      const appliance = await startAppliance({ fixtureKeys: true })
      box = appliance
      const { folders, call, read } = appliance
      const uploads = (name = '') => join(folders.root, 'home/sftp/uploads', name)
      const secret = join(folders.root, 'secret')
      writeFileSync(secret, 'precious')
      const ended = (path: string) =>
        until(`${path} ended`, async () => {
          const { body } = await call('GET', path)
          return body.includes('"running"') ? undefined : JSON.parse(body)
        })
      for (const name of ['backup.tar', 'backup.json', '.backup.tar.partial', 'logs.tar.gz', 'debug-bundle.tar'])
        kinds[kind]?.(uploads(name), secret)
      for (const name of ['software_package-zzz.enc', 'software_package-zzzz.enc']) kinds[kind]?.(uploads(name), secret)
      const form = [{ name: 'action', value: 'START' }]
      expect((await call('POST', '/backup', { form })).status).toBe(202)
      expect((await ended('/backup')).status).toBe('success')
      for (const path of ['/logs', '/debug']) expect([path, (await call('GET', path)).status]).toEqual([path, 200])
      const update = [file('update', readFileSync(join(FIXTURES, 'pkg_ok.enc')))]
      expect((await call('POST', '/update', { form: update })).status).toBe(202)
      expect((await ended('/update')).status).toBe('success')
      expect(read(secret)).toBe('precious')
      expect(existsSync(`${secret}-made`)).toBe(false)
      const logs = readdirSync(join(folders.root, 'log')).map((name) => read(join(folders.root, 'log', name)))
      const aside = readdirSync(uploads()).filter((name) => name.startsWith('in-the-way-'))
      expect(aside).toHaveLength(kind === 'folder' ? 6 : 0)
      for (const name of aside) {
        expect(lstatSync(uploads(`${name}/x`)).isDirectory()).toBe(true)
        expect([name, logs.some((text) => text.includes(name))]).toEqual([name, true])
      }
    },
    120_000,
  )
})
