// The update script under both shells: every outcome of the original's state machine, packages that lie, and a fault at
// every step. A package is only refused when also nothing of it ran: every refusal looks at the marker too.
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect } from 'vitest'
import {
  Appliance,
  checkpoints,
  ended,
  FIXTURES,
  installation,
  isRoot,
  removeTemporary,
  shells,
  temporaryFolder,
  tree,
  until,
} from './harness.ts'
import { faultsIn, inTurn } from './pairwise.ts'
import { DATA, encrypt, encryptMd5, inner, type Member, OK_SCRIPT, outer, pack, SIGN, sign, tar } from './tar.ts'

afterAll(removeTemporary)

const UPLOAD = 'software_package-zzz.enc'
const DECRYPTING = 'Error decrypting software update package'
const VERIFYING = 'Error verifying software update package signature'
const EXTRACTING = 'Error extracting software update package'

const fixture = (name: string) => readFileSync(join(FIXTURES, name))
const upload = (box: Appliance, content: Uint8Array, name = UPLOAD) => writeFileSync(box.uploads(name), content)

/** What a client sees. */
const seen = (box: Appliance) => ({
  json: box.read(box.etc('status_update.json')),
  code: box.read(box.etc('status_error_code.txt'))?.trim(),
  message: box.read(box.etc('status_error_message.txt'))?.trim(),
})
const failure = (percentage: number, code: string, message: string) => ({
  json: `{"status":"failed","percentage":${percentage}}\n`,
  code,
  message,
})
const success = (percentage = 100) => ({ json: `{"status":"success","percentage":${percentage}}\n` })
const untouched = (box: Appliance) =>
  !existsSync(join(box.root, 'tmp/updated.marker')) && box.read(box.etc('version.txt')) === '1.2.3\n'
const leftovers = (box: Appliance) => [
  ...readdirSync(join(box.root, 'tmp')).filter((name) => name !== 'updated.marker'),
  ...readdirSync(box.etc()).filter((name) => name.startsWith('.')),
]

const versions =
  `1.0 1.0~rc1 1.00 1.01 1.1 1.9 1.10 1.010 1.0a 1.0.1 1.0-1 v2 2 ~ 1.2.3 1.0.beta 1.0.tar.gz 1.0-1.tar.gz 10 9 a A
  a.b a~b 1..2 001.2 1_2 1+2`.split(/\s+/)
versions.push('')
const versionPairs = versions.flatMap((a, i) => versions.slice(i).map((b, j) => (j % 2 ? [a, b] : [b, a])))
function newest(pair: string[]): string | undefined {
  const input = `${pair.join('\n')}\n`
  return spawnSync('/usr/bin/sort', ['-V'], { input, encoding: 'utf8', env: { LC_ALL: 'C' } }).stdout.split('\n')[1]
}

describe.each(shells())('update.sh under $name', (shell) => {
  const it = inTurn(shell.name)
  let box: Appliance
  beforeEach(() => {
    box = new Appliance(shell)
  })

  const update = async (content: Uint8Array, env: Record<string, string> = {}) => {
    upload(box, content)
    return box.run('update', [], env)
  }
  const inShell = (program: string, input = '') => {
    const [command, ...rest] = [...shell.command, '-c', program]
    const PATH = `${shell.path ? `${shell.path}:` : ''}/usr/bin:/bin`
    return spawnSync(command!, rest, { input, encoding: 'utf8', env: { LC_ALL: 'C', PATH } })
  }
  const refused = async (
    content: Uint8Array,
    percentage: number,
    message: string,
    env: Record<string, string> = {},
  ) => {
    const { exit, task, log } = await update(content, env)
    expect(seen(box), log).toEqual(failure(percentage, 'E1005', message))
    expect(exit).toBe(1)
    expect(task).toMatchObject({ status: 'failed', error: { code: 'E1005', message } })
    expect(untouched(box)).toBe(true)
    expect(readdirSync(box.uploads())).toEqual([])
    expect(leftovers(box)).toEqual([])
    expect(box.log('update.log').slice(-2)).toEqual([
      `[T][SYSTEM] ${message}`,
      '[T][SYSTEM] Failed updating system. Cleaning up..',
    ])
  }

  it('installs a good package and says so as the original does', async () => {
    const { exit, task, log } = await update(fixture('pkg_ok.enc'), { EDGE_LABEL: 'LIVE IMAGE' })
    expect(exit, log).toBe(0)
    expect(task).toMatchObject({ status: 'completed', progress: 100 })
    expect(seen(box)).toEqual(success())
    expect(box.read(box.etc('status_update.txt'))).toBe('success\n')
    expect(box.read(box.etc('version.txt'))).toBe('1.3.0\n')
    expect(tree(box.root)['tmp/updated.marker']).toMatch(/^file 640/)
    expect(tree(box.root)['etc/status_update.json']).toMatch(/^file 644/)
    expect(box.log('update.log')).toEqual([
      '[T][LIVE IMAGE] Updating live image. Please wait..',
      'Starting update at: D',
      'Completed update at: D',
      '[T][LIVE IMAGE] Update successful',
    ])
    expect(log).toContain('applying update')
    expect(readdirSync(box.uploads())).toEqual([])
    expect(leftovers(box)).toEqual([])
  })

  it('takes the two members in either order, and packages of other archivers', async () => {
    expect((await update(pack(outer().reverse()))).exit).toBe(0)
    const folder = temporaryFolder()
    const data = inner({ version: '1.3.1' })
    writeFileSync(join(folder, DATA), data)
    writeFileSync(join(folder, SIGN), sign(data))
    for (const command of [['tar'], ['busybox', 'tar'], ['tar', '--format=ustar'], ['tar', '--format=v7']]) {
      const [program, ...rest] = [...command, '-C', folder, '-c', '-f', '-', DATA, SIGN]
      const made = spawnSync(program!, rest).stdout
      const { exit, log } = await update(encrypt(made))
      expect(exit, `${command}: ${log}`).toBe(0)
    }
  })

  it.each([
    ['pkg_wrongkey.enc', 30, 'E1005', DECRYPTING],
    ['pkg_garbage.enc', 30, 'E1005', DECRYPTING],
    ['pkg_ok_md5.enc', 30, 'E1005', DECRYPTING],
    ['pkg_nosig.enc', 40, 'E1005', VERIFYING],
    ['pkg_badsig.enc', 40, 'E1005', VERIFYING],
    ['pkg_old.enc', 60, 'E1001', 'software update package v1.0.0 is too old.'],
    ['pkg_same.enc', 60, 'E1001', 'software update package v1.2.3 already up-to-date.'],
    ['pkg_fail.enc', 80, 'E1002', 'Error running update'],
    ['pkg_fail_custom.enc', 80, 'E9001', 'Custom failure'],
  ])('fails with the right code, text and percentage: %s', async (name, percentage, code, message) => {
    const { task, log } = await update(fixture(name))
    expect(seen(box), log).toEqual(failure(percentage, code, message))
    expect(task).toMatchObject({ status: 'failed', error: { code, message } })
    expect(untouched(box)).toBe(true)
    expect(leftovers(box)).toEqual([])
    expect(readdirSync(box.uploads())).toEqual([])
    // The next one is not held back by it, and forgets its error.
    await update(fixture('pkg_ok.enc'))
    expect(seen(box)).toEqual(success())
  })

  it('says E1003 when there is no package', async () => {
    symlinkSync('/etc/hostname', box.uploads(UPLOAD))
    await box.run('update')
    expect(seen(box)).toEqual(failure(20, 'E1003', 'Missing update package'))
  })

  it('is done at 90 percent when the package has no script', async () => {
    await update(fixture('pkg_noscript.enc'))
    expect(seen(box)).toEqual(success(90))
    expect(box.log('update.log').slice(1)).toEqual([
      '[T][SYSTEM] No update script found, skipping.',
      '[T][SYSTEM] Update successful',
    ])
  })

  it('compares no versions when the package has none', async () => {
    await update(fixture('pkg_noversion.enc'))
    expect(seen(box)).toEqual(success())
  })

  describe('SEC-19 the version and the product', () => {
    it('count as they are signed, not as the file is named', async () => {
      upload(box, pack(outer(inner({ version: '1.2.2' }))), 'software_package-99.0.0.enc')
      await box.run('update')
      expect(seen(box)).toEqual(failure(60, 'E1001', 'software update package v1.2.2 is too old.'))
      expect(untouched(box)).toBe(true)
    })

    it.each(['1.2.3', '1.2.2', '1.2.3~rc1', '1.1.99', '0'])('refuse v%s, and nothing of it runs', async (version) => {
      const { exit } = await update(pack(outer(inner({ version }))))
      expect([exit, seen(box).code, untouched(box)]).toEqual([1, 'E1001', true])
      expect(leftovers(box)).toEqual([])
    })

    it('take a prerelease with a dash for newer than its release, as the original does', async () => {
      await update(pack(outer(inner({ version: '1.2.3-rc1' }))))
      expect(seen(box)).toEqual(success())
      await update(pack(outer(inner({ version: '1.2.3' }))))
      expect(seen(box)).toMatchObject({ code: 'E1001' })
    })

    it('cannot be changed without breaking the signature', async () => {
      const old = inner({ version: '1.0.0' })
      const signature = { name: SIGN, data: sign(old) }
      for (const version of ['1.3.0', '']) {
        await refused(pack([{ name: DATA, data: inner({ version }) }, signature]), 40, VERIFYING)
      }
      const product = inner({ members: [{ name: 'product.txt', data: 'filer\n' }] })
      await refused(pack([{ name: DATA, data: product }, signature]), 40, VERIFYING)
    })

    it('are those of this appliance, or the package is refused before anything of it runs', async () => {
      writeFileSync(box.etc('product.txt'), 'filer\n')
      const named = (data: string) => pack(outer(inner({ members: [{ name: 'product.txt', data }] })))
      for (const content of [named('gateway\n'), named(''), named('filer2\n'), pack(outer(inner()))]) {
        await update(content)
        expect(seen(box)).toEqual(failure(60, 'E1001', 'software update package is for another product.'))
        expect(untouched(box)).toBe(true)
      }
      await update(named('filer\n'))
      expect(seen(box)).toEqual(success())
    })

    it.each(['product.txt', 'version.txt'])(
      'refuse all packages while %s is there and cannot be read',
      async (name) => {
        rmSync(box.etc(name), { force: true })
        mkdirSync(box.etc(name))
        await update(pack(outer(inner())))
        expect(seen(box)).toEqual(failure(60, 'E1001', `${name} of this appliance cannot be read.`))
        expect(existsSync(join(box.root, 'tmp/updated.marker'))).toBe(false)
      },
    )

    it.each(['updates.pub', 'updates.key'])('say in the log that %s is in UTF-16', async (name) => {
      writeFileSync(box.etc(name), Buffer.from(`\ufeff${readFileSync(box.etc(name), 'utf8')}`, 'utf16le'))
      expect((await update(pack(outer(inner())))).exit).toBe(1)
      expect(box.log('update.log')).toContain(`[T][SYSTEM] ${name}: saved as UTF-16, expected UTF-8`)
    })

    it('are overridden by no variable, no argument and no file of a caller', async () => {
      const known = [
        ...readFileSync(join(installation(), 'scripts/README.md'), 'utf8').matchAll(/`(EDGE_[A-Z_0-9]+)`/g),
      ]
      const free = [...new Set(known.map(([, name]) => name!))].filter(
        (name) => !/^EDGE_(?:ROOT|SYSCONFDIR|DATADIR|STATEDIR|PATH|UNPACK_LIMIT|ENTRY_LIMIT)$/.test(name),
      )
      expect(free).toContain('EDGE_LEGACY_MD5')
      const environment = Object.fromEntries([...free, 'EDGE_FORCE', 'FORCE'].map((name) => [name, '1']))
      for (const name of ['force', 'override', 'downgrade']) writeFileSync(box.uploads(name), '1')
      upload(box, pack(outer(inner({ version: '1.0.0' }))))
      const { task } = await box.run('update', ['--force', 'force'], environment)
      expect(task.error?.code).toBe('E1001')
      expect(untouched(box)).toBe(true)
    })
  })

  it('takes the old key derivation only with its switch', async () => {
    const { log } = await update(fixture('pkg_ok_md5.enc'), { EDGE_LEGACY_MD5: '1' })
    expect(seen(box), log).toEqual(success())
    upload(box, encryptMd5(tar([...outer(), { name: 'more', data: 'x' }])))
    await box.run('update', [], { EDGE_LEGACY_MD5: '1' })
    expect(seen(box)).toEqual(failure(40, 'E1005', VERIFYING))
    upload(box, fixture('pkg_garbage.enc'))
    await box.run('update', [], { EDGE_LEGACY_MD5: '1' })
    expect(seen(box)).toEqual(failure(30, 'E1005', DECRYPTING))
  })

  it('chooses the newest of several packages and leaves the others', async () => {
    upload(box, fixture('pkg_garbage.enc'), 'software_package-1.9.0.enc')
    upload(box, fixture('pkg_ok.enc'), 'software_package-1.10.0 (1).enc')
    upload(box, fixture('pkg_garbage.enc'), 'software_package-1.10.0~rc1.enc')
    upload(box, fixture('pkg_garbage.enc'), 'other.enc')
    await box.run('update')
    expect(seen(box)).toEqual(success())
    expect(readdirSync(box.uploads()).sort()).toEqual([
      'other.enc',
      'software_package-1.10.0~rc1.enc',
      'software_package-1.9.0.enc',
    ])
  })

  it('orders versions as GNU sort -V', () => {
    const program = `. ${installation()}/scripts/package.sh
      while read -r a; do read -r b; printf '%s\\n%s\\n' "$a" "$b" | version_newest; done`
    const { stdout } = inShell(program, `${versionPairs.flat().join('\n')}\n`)
    const ours = stdout.split('\n')
    expect(versionPairs.map((pair, i) => [pair, ours[i]])).toEqual(versionPairs.map((pair) => [pair, newest(pair)]))
  })

  const link = (name: string, type: string): Member => ({ name, type, link: '/etc/passwd' })
  const evil: Record<string, Member[]> = {
    'a third member': [...outer(), { name: 'third', data: 'x' }],
    'a third member in front': [{ name: 'first', data: 'x' }, ...outer()],
    'a member with ..': [{ name: '../evil', data: 'x' }, ...outer()],
    'an absolute member': [...outer(), { name: '/tmp/evil', data: 'x' }],
    'a folder': [{ name: 'd/', type: '5' }, ...outer()],
    'a link': [link(DATA, '2'), ...outer().slice(1)],
    'a hard link': [...outer().slice(0, 1), link(SIGN, '1')],
    'a device': [{ name: DATA, type: '3' }, ...outer().slice(1)],
    'the package twice': [outer()[0]!, ...outer()],
    'the signature twice': [...outer(), outer()[1]!],
    'an extended header': [{ name: 'x', type: 'x', data: '30 path=software_package.tar.gz\n' }, ...outer()],
    'a long name': [{ name: '././@LongLink', type: 'L', data: `${DATA}\0` }, ...outer()],
    'an empty package': [{ name: DATA }, outer()[1]!],
    'an empty signature': [outer()[0]!, { name: SIGN }],
    'a huge signature': [outer()[0]!, { name: SIGN, data: Buffer.alloc(16385) }],
    'no member': [],
    'only a signature': outer().slice(1),
    'a signature of something else': [outer()[0]!, { name: SIGN, data: sign(Buffer.from('x')) }],
    'a signature by another': [outer()[0]!, { name: SIGN, data: sign(inner(), 'other.priv') }],
    'another package with this signature': [{ name: DATA, data: inner({ version: '9' }) }, outer()[1]!],
  }
  it.each(Object.keys(evil))('SEC-16 refuses an outer tar with %s', async (name) => {
    await refused(pack(evil[name]!), 40, VERIFYING)
  })

  it('SEC-16 stops at the first wrong member of a tar with very many', async () => {
    const many = Array.from({ length: 100_000 }, (_, i) => ({ name: `f${i}` }))
    upload(box, pack(many))
    const { log } = await box.run('update')
    expect(seen(box), log).toEqual(failure(40, 'E1005', VERIFYING))
  })

  it('SEC-18 refuses a package with one flipped bit, wherever it is', async () => {
    const good = pack(outer())
    const data = inner().length
    const second = 16 + 512 + Math.ceil(data / 512) * 512
    const places: Record<string, number> = {
      magic: 3,
      salt: 9,
      'name of the first member': 16 + 5,
      'owner in the first header': 16 + 110,
      'checksum in the first header': 16 + 150,
      'user name in the first header': 16 + 270,
      'end of the first header': 16 + 511,
      'first byte of the data': 16 + 512,
      'middle of the data': 16 + 512 + (data >> 1),
      'padding behind the data': second - 1,
      'second header': second + 20,
      signature: second + 512 + 30,
      'padding behind the signature': second + 512 + 400,
      trailer: good.length - 2000,
      'end of the trailer': good.length - 33,
      'last block': good.length - 3,
    }
    for (const [place, offset] of Object.entries(places)) {
      const bad = Buffer.from(good)
      bad[offset]! ^= 0x10
      const { log } = await update(bad)
      expect(seen(box).code, `${place}: ${log}`).toBe('E1005')
      expect(untouched(box), place).toBe(true)
    }
  })

  it('SEC-18 refuses every single flipped bit in the decrypted headers, padding and trailer', () => {
    const plain = tar(outer(inner({ script: '' })))
    const limit = plain.length
    const size = inner({ script: '' }).length
    const offsets: number[] = []
    for (let i = 0; i < 512; i += 7) offsets.push(i)
    for (let i = 124; i < 165; i++) offsets.push(i)
    for (let i = 148; i < 156; i++) offsets.push(i)
    offsets.push(512 + size, 512 + Math.ceil(size / 512) * 512 - 1, plain.length - 1, plain.length - 9000)
    const folder = temporaryFolder()
    const bad = (name: string, content: Buffer) => writeFileSync(join(folder, name), content)
    offsets.forEach((offset, i) => {
      const flipped = Buffer.from(plain)
      flipped[offset]! ^= 1 << (i % 8)
      bad(`${offset}.${i % 8}`, flipped)
    })
    // The two blanks of the checksum for each other: the only bits that its sum does not see.
    for (const offset of [154, 155]) {
      const flipped = Buffer.from(plain)
      flipped[offset]! ^= 0x20
      bad(`${offset}.blank`, flipped)
    }
    bad('appended', Buffer.concat([plain, Buffer.from('x')]))
    bad('appended-block', Buffer.concat([plain, Buffer.alloc(512, 'x')]))
    bad('appended-tar', Buffer.concat([plain, plain]))
    bad('zeros-without-end', Buffer.concat([plain, Buffer.alloc(1 << 20)]))
    bad('cut', plain.subarray(0, 700))
    bad('cut-trailer', plain.subarray(0, plain.length - 10_000))
    writeFileSync(join(folder, 'zz-good'), plain)
    const program = `. ${installation()}/scripts/package.sh; cd ${folder} || exit; for f in *; do
      rm -rf ../w-$$; mkdir ../w-$$; package_split ../w-$$ ${limit} <"$f" && echo "$f"; done; rm -rf ../w-$$`
    const { stdout, stderr } = inShell(program)
    expect(stdout.trim(), stderr).toBe('zz-good')
  })

  it('SEC-18 refuses what is cut short or goes on behind its end', async () => {
    const good = pack(outer())
    for (const bad of [
      Buffer.alloc(0),
      good.subarray(0, 10),
      good.subarray(0, 16),
      good.subarray(0, 600),
      good.subarray(0, good.length - 16),
      good.subarray(0, good.length - 1),
      Buffer.concat([good, Buffer.from('x')]),
      Buffer.concat([good, Buffer.alloc(16, 1)]),
      Buffer.concat([good, good]),
    ]) {
      await update(bad)
      expect(seen(box).code).toBe('E1005')
      expect(untouched(box)).toBe(true)
    }
  })

  it('SEC-17 refuses a signed archive that unpacks to more than the limit', async () => {
    const data = inner({ members: [{ name: 'big', data: Buffer.alloc(4 << 20) }] })
    await refused(pack(outer(data)), 50, EXTRACTING, { EDGE_UNPACK_LIMIT: String(1 << 20) })
  })

  it('refuses a signed package whose inner archive is no archive', async () => {
    await refused(pack(outer(Buffer.from('not a gzip file'))), 50, EXTRACTING)
  })

  it('SEC-34 leaves the first update and its status alone when a second one comes', async () => {
    const script = `#!/bin/sh\n: > ../started\nwhile [ ! -e ../go ]; do sleep 0.05; done\nrm -f ../started ../go\n${OK_SCRIPT}`
    upload(box, pack(outer(inner({ script }))))
    const id = box.create('update')
    const first = ended(box.start(id, 'run'))
    await until('the first one runs', () => existsSync(join(box.root, 'tmp/started')))
    const before = [seen(box), box.log('update.log'), readFileSync(box.task(id, 'status.json'), 'utf8')]
    upload(box, fixture('pkg_ok.enc'))
    const second = await box.run('update')
    expect(second.exit).toBe(75)
    expect(second.task).toMatchObject({ status: 'failed', error: { code: 'BUSY' } })
    expect([seen(box), box.log('update.log'), readFileSync(box.task(id, 'status.json'), 'utf8')]).toEqual(before)
    writeFileSync(join(box.root, 'tmp/go'), '')
    expect(await first).toBe(0)
    expect(seen(box)).toEqual(success())
    expect(readdirSync(box.uploads())).toEqual([UPLOAD])
  })

  const steps: Record<string, { at: number; codes: string[] }> = {
    'update-telling': { at: 0, codes: ['E1000'] },
    'update-started': { at: 10, codes: ['E1000'] },
    'update-chosen': { at: 20, codes: ['E1000'] },
    'update-decrypted': { at: 40, codes: ['E1000'] },
    'update-verified': { at: 50, codes: ['E1000'] },
    'update-extracted': { at: 50, codes: ['E1000'] },
    'update-compared': { at: 60, codes: ['E1000'] },
    'update-running': { at: 70, codes: ['E1000', 'E1002'] },
    'update-ran': { at: 70, codes: ['E1000', 'E1002'] },
  }
  it('has a row in the fault table for every checkpoint', () => {
    expect(checkpoints('scripts/update.sh', 'scripts/package.sh')).toEqual(Object.keys(steps))
  })

  const faults = faultsIn(shell.name, Object.keys(steps))
    // That one is done, and says so.
    .filter(([step, what]) => step !== 'update-ran' || what !== 'kill')
  it.both.each(faults)('fails by itself and lets the next one through: %s, %s', async (step, what) => {
    upload(box, fixture('pkg_ok.enc'))
    const id = box.create('update')
    const exit = await box.act(id, 'run', { EDGE_FAULT: `${step}=${what}` })
    expect(exit).toBe(what === 'kill' ? 'SIGKILL' : 1)
    await box.act(id, 'recover')
    const { code, json } = seen(box)
    expect(json).toBe(`{"status":"failed","percentage":${steps[step]!.at}}\n`)
    expect(steps[step]!.codes).toContain(code)
    expect(box.status(id)).toMatchObject({ status: what === 'kill' ? 'interrupted' : 'failed', error: { code } })
    expect(box.lockIsFree('update')).toBe(true)
    expect(leftovers(box)).toEqual([])
    if (what === 'kill' || !['update-telling', 'update-started'].includes(step))
      expect(readdirSync(box.uploads())).toEqual([])
    const after = tree(box.folder)
    await box.act(id, 'recover')
    expect(tree(box.folder)).toEqual(after)
    writeFileSync(box.etc('version.txt'), '1.2.3\n')
    await update(fixture('pkg_ok.enc'))
    expect(seen(box)).toEqual(success())
  })

  it('ends what an update left running when it is recovered', async () => {
    const script = '#!/bin/sh\necho $$ > ../pid\nwhile :; do sleep 0.05; done\n'
    upload(box, pack(outer(inner({ script }))))
    const id = box.create('update')
    const child = box.start(id, 'run')
    await until('the package runs', () => (box.read(join(box.root, 'tmp/pid')) ?? '').endsWith('\n'))
    const pid = Number(box.read(join(box.root, 'tmp/pid')))
    child.kill('SIGKILL')
    await ended(child)
    await box.act(id, 'recover')
    expect(existsSync(`/proc/${pid}/cwd`) && isAlive(pid)).toBe(false)
    const message = 'The update was interrupted while the script of its package ran: version.txt says 1.2.3, as before'
    expect(seen(box)).toEqual(failure(70, 'E1002', message))
  })

  it('says which version there is now when it was killed after the package had written it', async () => {
    const script = '#!/bin/sh\necho 1.3.0 > ../../etc/version.txt\n: > ../written\nwhile :; do sleep 0.05; done\n'
    for (const action of ['recover', 'cancel'] as const) {
      writeFileSync(box.etc('version.txt'), '1.2.3\n')
      upload(box, pack(outer(inner({ script }))))
      const id = box.create('update')
      const child = box.start(id, 'run')
      const end = ended(child)
      await until('it is written', () => existsSync(join(box.root, 'tmp/written')))
      rmSync(join(box.root, 'tmp/written'))
      if (action === 'recover') child.kill('SIGKILL')
      if (action === 'recover') await end
      await box.act(id, action)
      const message =
        'The update was interrupted while the script of its package ran: version.txt says 1.3.0 now, and 1.2.3 before'
      expect(seen(box)).toEqual(failure(70, 'E1002', message))
      expect(box.log('update.log')).toContain(`[T][SYSTEM] ${message}`)
      expect(box.status(id).status).toBe(action === 'recover' ? 'interrupted' : 'cancelled')
    }
  })

  it('is done when it was killed after the script of the package had ended well', async () => {
    upload(box, fixture('pkg_ok.enc'))
    const id = box.create('update')
    expect(await box.act(id, 'run', { EDGE_FAULT: 'update-ran=kill' })).toBe('SIGKILL')
    await box.act(id, 'recover')
    expect(seen(box)).toEqual(success())
    expect(box.read(box.etc('status_update.txt'))).toBe('success\n')
    expect(box.status(id)).toMatchObject({ status: 'completed', progress: 100 })
    expect(box.log('update.log').at(-1)).toBe('[T][SYSTEM] Update successful')
  })

  it('writes the file that clients poll last: killed before it, that one still says what it said', async () => {
    writeFileSync(box.etc('status_update.json'), '{"status":"success","percentage":100}\n')
    writeFileSync(box.etc('status_update.txt'), 'success\n')
    upload(box, fixture('pkg_ok.enc'))
    const id = box.create('update')
    expect(await box.act(id, 'run', { EDGE_FAULT: 'update-telling=kill' })).toBe('SIGKILL')
    expect(box.read(box.etc('status_update.txt'))).toBe('running\n')
    expect(seen(box)).toMatchObject(success())
    await box.act(id, 'recover')
    expect(box.read(box.etc('status_update.txt'))).toBe('failed\n')
    expect(seen(box)).toEqual(failure(0, 'E1000', 'Script error'))
  })

  it.each([
    ['CR LF', '#!/bin/sh\r\nexit 0\r\n', 'the lines of update.sh end in CR LF'],
    ['a byte order mark', '\ufeff#!/bin/sh\nexit 1\n', 'update.sh begins with a byte order mark'],
    [
      'an interpreter that is not here',
      '#!/no/such/shell\n',
      'the interpreter of update.sh is not here: /no/such/shell',
    ],
  ])('says what is wrong with the script of a package: %s', async (_what, script, reason) => {
    await update(pack(outer(inner({ script }))))
    expect(seen(box)).toEqual(failure(80, 'E1002', `Error running update: ${reason}`))
  })

  it('says failed also when it died before its first step', async () => {
    mkdirSync(box.etc(), { recursive: true })
    writeFileSync(box.etc('status_update.json'), '{"status":"success","percentage":100}\n')
    const id = box.create('update')
    await box.act(id, 'recover')
    expect(seen(box)).toEqual(failure(0, 'E1000', 'Script error'))
    expect(box.status(id).status).toBe('interrupted')
  })

  it('stays successful when it died between its own success and that of its task', async () => {
    const id = box.create('update')
    upload(box, fixture('pkg_ok.enc'))
    await box.act(id, 'run')
    const status = { ...box.status(id), status: 'running', progress: 80 }
    writeFileSync(box.task(id, 'status.json'), JSON.stringify(status))
    await box.act(id, 'recover')
    expect(seen(box)).toEqual(success())
    expect(box.status(id)).toMatchObject({ status: 'completed', progress: 100 })
    expect(box.status(id).error).toBeUndefined()
  })

  it('can be cancelled', async () => {
    const script = '#!/bin/sh\n: > ../started\nwhile :; do sleep 0.05; done\n'
    upload(box, pack(outer(inner({ script }))))
    const id = box.create('update')
    const end = ended(box.start(id, 'run'))
    await until('the package runs', () => existsSync(join(box.root, 'tmp/started')))
    await box.act(id, 'cancel')
    expect(await end).toBe('SIGKILL')
    expect(box.status(id)).toMatchObject({ status: 'cancelled', error: { code: 'CANCELLED' } })
    expect(seen(box).json).toBe('{"status":"failed","percentage":70}\n')
    expect(box.lockIsFree('update')).toBe(true)
  })

  it.skipIf(!isRoot)('fails with E1005 on a full disk, leaves nothing, and works again', async () => {
    const big = inner({ members: [{ name: 'big', data: Buffer.alloc(6 << 20, 'x') }] })
    const noise = inner({ members: [{ name: 'noise', data: randomBytes(6 << 20) }] })
    for (const [data, percentage, message] of [
      [noise, 30, DECRYPTING],
      [big, 50, EXTRACTING],
    ] as const) {
      upload(box, pack(outer(data)))
      const id = box.create('update')
      const [program, ...rest] = box.shell.command
      const script = join(installation(), 'scripts/update.sh')
      const inside = `mount -t tmpfs -o size=4m none "$EDGE_ROOT/tmp" && exec "$@"`
      const { stderr } = spawnSync(
        'unshare',
        ['-m', 'sh', '-c', inside, 'sh', program!, ...rest, script, 'run', box.task(id)],
        {
          encoding: 'utf8',
          env: {
            PATH: process.env['PATH'],
            EDGE_ROOT: box.root,
            EDGE_SYSCONFDIR: box.folder,
            EDGE_DATADIR: box.data,
            EDGE_STATEDIR: box.state,
            ...(shell.path ? { EDGE_PATH: shell.path } : {}),
          },
        },
      )
      expect(seen(box), stderr).toEqual(failure(percentage, 'E1005', message))
      expect(box.status(id).status).toBe('failed')
      expect(leftovers(box)).toEqual([])
    }
    await update(fixture('pkg_ok.enc'))
    expect(seen(box)).toEqual(success())
  })
})
if (!isRoot) console.log('the full disk is not tested: that takes root')

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
