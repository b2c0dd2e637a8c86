// What a check says of the appliance's files besides what is wrong with them: that they are in order, that they are not
// there, and that whoever looks may not see them. Root may see everything, so as root the test looks with the rights of
// nobody in particular.
import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lookAtCertificate } from '../../src/features/check/certificate.ts'
import type { Look } from '../../src/features/check/check.ts'
import { lookAtConfiguration } from '../../src/features/check/configuration.ts'
import { lookAtFolders } from '../../src/features/check/folders.ts'
import { lookAtHooks } from '../../src/features/check/hooks.ts'
import { lookAtKeys } from '../../src/features/check/keys.ts'
import { lookAtLicense } from '../../src/features/check/license.ts'
import { lookAtLists } from '../../src/features/check/lists.ts'
import { lookAtOwners } from '../../src/features/check/owners.ts'
import { lookAtPersist } from '../../src/features/check/persist.ts'
import type { Place } from '../../src/features/check/place.ts'
import { lookAtScripts } from '../../src/features/check/scripts.ts'
import { signLicense } from '../../src/features/license/license.ts'
import { makeSelfSigned } from '../../src/http/server/self-made.ts'
import { installPair } from '../../src/http/server/tls.ts'
import {
  at,
  base,
  configured,
  DAY,
  finds,
  inRoot,
  inSysconf,
  isRoot,
  lay,
  otherwise,
  place,
  sampleAppliance,
  told,
} from './check-place.ts'

sampleAppliance()
const said = async (look: Look['look'], here = place) => told(await look(here))
const NOBODY = { uid: 4711, gid: 4711 }
const folderAt = (path: string) => {
  rmSync(path, { force: true })
  mkdirSync(path, { recursive: true })
}

describe('folders', () => {
  it('in order', async () => {
    const names = ['root', 'root/etc', 'root/log', 'root/tmp', 'root/bin', 'root/home/sftp/uploads', 'sysconf', 'data']
    expect(await said(lookAtFolders)).toEqual([...names, 'state'].map((name) => `ok folders.ok ${name}`))
  })

  it('into which the server’s user cannot look', async (context) => {
    if (!isRoot) return context.skip('only root can give files to others')
    for (const name of [
      'root',
      'sysconf',
      'data',
      'state',
      'root/etc',
      'root/log',
      'root/tmp',
      'root/home/sftp/uploads',
    ])
      chownSync(at(name), NOBODY.uid, NOBODY.gid)
    chmodSync(inRoot('bin'), 0o700)
    await finds(lookAtFolders, [['folders.closed', 'root/bin']], await otherwise({ server: NOBODY }))
  })

  it('of the state, which others may look into', async () => {
    for (const mode of [0o701, 0o704]) {
      chmodSync(at('state'), mode)
      await finds(lookAtFolders, [['folders.state-open', 'state']])
    }
    chmodSync(at('state'), 0o770)
    await finds(lookAtFolders, [])
  })

  it('of sudo mode that are missing', async () => {
    mkdirSync(at('state/work'), { recursive: true })
    rmSync(at('state/locks'), { recursive: true, force: true })
    const findings = await said(lookAtOwners, await configured({ privilege: 'sudo' }))
    expect(findings.filter((line) => line.includes('missing'))).toEqual(['error owners.missing state/locks'])
  })
})

describe('the certificate', () => {
  const CERT = 'sysconf/pki/tls/certs/enterprise.crt'
  const KEY = 'sysconf/pki/tls/private/enterprise.key'
  const install = async (host: string) =>
    installPair(place.folders, await makeSelfSigned({ names: { hosts: [host], addresses: [] }, now: place.now }))

  it('that the server has yet to make', async () => {
    expect(await said(lookAtCertificate)).toEqual([`note certificate.none ${CERT}`])
    expect(await said(lookAtCertificate, await configured({ tls: { enabled: false } }))).toEqual([])
  })

  it('in order, and for another name', async () => {
    await install(hostname())
    expect(await said(lookAtCertificate)).toEqual([`ok certificate.ok ${CERT}`])
    await install('elsewhere.example')
    expect(await said(lookAtCertificate)).toEqual([`note certificate.other-name ${CERT}`])
    await finds(lookAtCertificate, [['certificate.early', CERT]], await otherwise({ now: place.now - 8 * DAY }))
  })

  it('that is none, or has none for a key', async () => {
    await install('localhost')
    const good = readFileSync(at(CERT))
    writeFileSync(at(CERT), 'no certificate\n')
    await finds(lookAtCertificate, [['certificate.broken', CERT]])
    folderAt(at(CERT))
    await finds(lookAtCertificate, [['certificate.broken', CERT]])
    rmSync(at(CERT), { recursive: true })
    writeFileSync(at(CERT), good)
    folderAt(at(KEY))
    await finds(lookAtCertificate, [['certificate.broken', KEY]])
  })

  it('whose key the server’s user may not read', async (context) => {
    await install('localhost')
    if (!isRoot) return context.skip('only root can look for others')
    chmodSync(at(KEY), 0o640)
    await finds(lookAtCertificate, [['certificate.key-closed', KEY]], await otherwise({ server: NOBODY }))
    chownSync(at(KEY), 0, NOBODY.gid)
    await finds(lookAtCertificate, [], await otherwise({ server: NOBODY }))
  })
})

describe('the configuration', () => {
  it('in order, and the one of the original beside it, which is not read', async () => {
    expect(await said(lookAtConfiguration)).toEqual(['ok configuration.ok sysconf/edge-admin.json'])
    lay(inSysconf('jidoteki-admin-api.json'), '{}')
    expect(await said(lookAtConfiguration)).toEqual(['note configuration.not-read sysconf/jidoteki-admin-api.json'])
  })

  it('of the original, with keys that nothing here knows', async () => {
    const file = inSysconf('jidoteki-admin-api.json')
    const original = { settings: place.configured.settings, file, ignored: ['ignored: "custom"'] }
    const found = await lookAtConfiguration(await otherwise({ configured: original }))
    expect(found).toMatchObject([
      { level: 'warning', id: 'configuration.ignored', subject: file, message: 'ignored: "custom"' },
    ])
  })

  it('with a key at its old place', async () => {
    const old = { ...place.configured, moved: ['old.key is called new.key now'] }
    const found = await lookAtConfiguration(await otherwise({ configured: old }))
    expect(found).toMatchObject([
      { level: 'warning', id: 'configuration.moved-key', message: 'old.key is called new.key now' },
    ])
  })

  it('that is not there', async () => {
    const none = await otherwise({ configured: { ...place.configured, file: undefined } })
    expect(await said(lookAtConfiguration, none)).toEqual(['note configuration.none sysconf/edge-admin.json'])
  })

  it('whose wrapper cannot be started, or whose log is a file that may be written', async () => {
    const wrapper = lay(inRoot('bin/wrapper.sh'), '#!/bin/sh\n')
    await finds(lookAtConfiguration, [['configuration.wrapper', 'root/bin/wrapper.sh']], await configured({ wrapper }))
    const file = lay(at('log/edge-admin.log'), '')
    await finds(lookAtConfiguration, [], await configured({ log: { file } }))
  })

  it.each([
    ['#!/bin/sh\r\nexit 0\r\n', 'its first line ends as on Windows'],
    ['#!/no/such/bash\n', 'its interpreter is not there: /no/such/bash'],
    ['\ufeff#!/bin/sh\n', 'it begins with a byte order mark'],
    ['', 'it is empty'],
  ])('whose wrapper is no script that a shell would run: %j', async (text, fault) => {
    const wrapper = lay(inRoot('bin/wrapper.sh'), text, 0o755)
    const wrapped = await configured({ wrapper })
    await finds(lookAtConfiguration, [['configuration.wrapper', 'root/bin/wrapper.sh']], wrapped)
    expect((await lookAtConfiguration(wrapped))[0]?.message).toContain(fault)
  })

  it('whose wrapper is a folder', async () => {
    mkdirSync(inRoot('bin/wrapper.sh'))
    const wrapped = await configured({ wrapper: inRoot('bin/wrapper.sh') })
    await finds(lookAtConfiguration, [['configuration.wrapper', 'root/bin/wrapper.sh']], wrapped)
  })

  it('whose settings for the scripts are no file, or name another folder', async () => {
    const sudo = await configured({ privilege: 'sudo' })
    mkdirSync(at('scripts/settings'))
    await finds(lookAtConfiguration, [['configuration.no-settings', 'scripts/settings']], sudo)
    rmSync(at('scripts/settings'), { recursive: true })
    const values = { ROOT: '/else', SYSCONFDIR: at('sysconf'), DATADIR: at('data'), STATEDIR: at('state') }
    const text = Object.entries(values).map(([name, value]) => `EDGE_${name}='${value}'`)
    lay(at('scripts/settings'), [...text, "EDGE_LABEL='BOX'", 'EDGE_LEGACY_MD5=1', 'EDGE_UNPACK_LIMIT=1'].join('\n'))
    const findings = await lookAtConfiguration(sudo)
    expect(findings.map(({ level, id, mend }) => [level, id, mend.split("'", 1)[0]])).toEqual([
      ['error', 'configuration.out-of-step', 'Write EDGE_ROOT='],
      ...['LABEL', 'LEGACY_MD5', 'UNPACK_LIMIT', 'LOG_SIZE'].map((name) => [
        ...['warning', 'configuration.out-of-step', `Write EDGE_${name}=`],
      ]),
    ])
  })
})

describe('hooks', () => {
  it('that name no interpreter, or one that is not found by its name', async () => {
    const file = lay(inRoot('bin/certs.sh'), 'exit 0\n', 0o755)
    const about = async () => (await said(lookAtHooks)).filter((line) => line.endsWith('certs.sh'))
    expect(await about()).toEqual(['note hooks.no-interpreter root/bin/certs.sh'])
    lay(at('system/usr/bin/env'), '', 0o755)
    lay(file, '#!/usr/bin/env no-such-program\n', 0o755)
    expect(await about()).toEqual(['error hooks.interpreter-missing root/bin/certs.sh'])
    lay(file, '#!/usr/bin/env sh\n', 0o755)
    expect(await about()).toEqual(['ok hooks.ok root/bin/certs.sh'])
  })

  it('that anybody else than root could change, where root runs them', async (context) => {
    if (!isRoot) return context.skip('only root can give files to others')
    chownSync(inRoot('bin/certs.sh'), NOBODY.uid, 0)
    await finds(lookAtHooks, [['hooks.owner', 'root/bin/certs.sh']])
    const asNobody = await otherwise({ server: NOBODY })
    await finds(lookAtHooks, [], asNobody)
  })
})

describe('keys', () => {
  const KEYS = ['ok keys.ok root/etc/updates.key', 'ok keys.ok root/etc/updates.pub', 'ok keys.ok root/etc/license.pub']

  it('in order, and a token that there is not yet', async () => {
    expect(await said(lookAtKeys)).toEqual([...KEYS, 'note keys.no-token root/etc/api.token'])
    lay(inRoot('etc/api.token'), 'sha256 00\n', 0o640)
    expect(await said(lookAtKeys)).toEqual([...KEYS, 'ok keys.ok root/etc/api.token'])
  })

  it('that everybody may change, and a token that everybody may read', async () => {
    chmodSync(inRoot('etc/updates.pub'), 0o646)
    lay(inRoot('etc/api.token'), 'sha256 00\n', 0o644)
    await finds(lookAtKeys, [
      ['keys.open', 'root/etc/updates.pub'],
      ['keys.open', 'root/etc/api.token'],
    ])
    rmSync(inRoot('etc/api.token'))
    mkdirSync(inRoot('etc/api.token'))
    chmodSync(inRoot('etc/updates.pub'), 0o644)
    await finds(lookAtKeys, [['keys.token-broken', 'root/etc/api.token']])
  })

  it('that openssl cannot read although Node can, are too long, or hold a NUL', async () => {
    const path = [at('programs')]
    lay(at('programs/openssl'), '#!/bin/sh\nexit 1\n', 0o755)
    const broken = ['root/etc/updates.pub', 'root/etc/license.pub'].map((name): [string, string] => [
      'keys.broken',
      name,
    ])
    await finds(lookAtKeys, broken, await otherwise({ path }))
    for (const text of [`${'x'.repeat(1024)}\n`, 'a\0b\n']) {
      lay(inRoot('etc/updates.key'), text, 0o600)
      await finds(lookAtKeys, [['keys.broken', 'root/etc/updates.key']])
    }
    lay(inRoot('etc/updates.key'), '\ufeffsecret\n', 0o600)
    await finds(lookAtKeys, [['keys.line-end', 'root/etc/updates.key']])
    cpSync(join(place.folders.state, 'vendor/license.priv'), inRoot('etc/license.priv'))
    await finds(lookAtKeys, [
      ['keys.line-end', 'root/etc/updates.key'],
      ['keys.private', 'root/etc/license.priv'],
    ])
  })
})

describe('the license', () => {
  const FILE = 'root/etc/license.asc'

  it('that there is not, or that nobody asks for', async () => {
    expect(await said(lookAtLicense)).toEqual([`note license.none ${FILE}`])
    lay(at(FILE), 'nothing\n')
    expect(await said(lookAtLicense, await configured({ endpoints: [] }))).toEqual([])
  })

  it('that is valid until its day, and not after', async () => {
    const license = { app: 'box', users: 1, expires: '2038-01-19', name: 'a', contact: 'b' }
    const key = readFileSync(join(place.folders.state, 'vendor/license.priv'), 'utf8')
    lay(at(FILE), signLicense(JSON.stringify(license), key.slice(key.indexOf('-----'))))
    expect(await said(lookAtLicense)).toEqual([`ok license.ok ${FILE}`])
    const after = await otherwise({ now: Date.parse('2038-01-20T00:00:00Z') })
    expect(await said(lookAtLicense, after)).toEqual([`warning license.invalid ${FILE}`])
  })

  it('that is no text, or whose key is none', async () => {
    folderAt(at(FILE))
    await finds(lookAtLicense, [['license.invalid', FILE]])
    rmSync(at(FILE), { recursive: true })
    lay(at(FILE), Buffer.from([0x7b, 0xe4, 0x7d]))
    await finds(lookAtLicense, [['license.invalid', FILE]])
    lay(at(FILE), '{}\n')
    lay(inRoot('etc/license.pub'), Buffer.from([0x2d, 0xe4, 0x2d]))
    await finds(lookAtLicense, [['license.no-judge', 'root/etc/license.pub']])
  })
})

describe('lists', () => {
  it('in order', async () => {
    const names = ['backup', 'logs', 'debug', 'version', 'changelog'].map((name) => `root/etc/${name}.txt`)
    const more = ['build.json', 'storage-options.json', 'allservices.txt'].map((name) => `sysconf/${name}`)
    expect(await said(lookAtLists)).toEqual([...names, ...more].map((name) => `ok lists.ok ${name}`))
  })

  it('of a backup that name nothing, or what is not there', async () => {
    lay(inRoot('etc/backup.txt'), ' \n')
    await finds(lookAtLists, [['lists.empty', 'root/etc/backup.txt']])
    lay(inRoot('etc/backup.txt'), 'etc hmoe pat*tern\n')
    const [absent] = await lookAtLists(place)
    expect([absent?.level, absent?.id, absent?.message]).toEqual([
      ...['note', 'lists.absent', 'not there, and left out of backups: hmoe'],
    ])
  })

  it('of services that a service manager knows without a file here', async () => {
    rmSync(inSysconf('init.d/sample-app'))
    for (const manager of ['systemd', 'openrc'])
      await finds(lookAtLists, [], await configured({ 'service-manager': manager }))
    const missing: [string, string][] = [['lists.no-service', 'sysconf/allservices.txt']]
    await finds(lookAtLists, missing, await configured({ 'service-manager': 'init' }))
    lay(at('system/sbin/rc-service'), '')
    await finds(lookAtLists, [])
    rmSync(at('system/sbin/rc-service'))
    await finds(lookAtLists, missing)
    mkdirSync(at('system/run/systemd/system'), { recursive: true })
    await finds(lookAtLists, [])
  })
})

describe('scripts', () => {
  it('in order, or a folder in the place of one', async () => {
    expect(await said(lookAtScripts)).toEqual(['ok scripts.ok scripts'])
    folderAt(at('scripts/lib.sh'))
    await finds(lookAtScripts, [['scripts.broken', 'scripts/lib.sh']])
  })
})

describe('what whoever looks may not see', () => {
  const own = { uid: process.geteuid!(), gid: process.getegid!() }
  const me = isRoot ? NOBODY : own
  /** Without the rights of root, where this is root; a folder that nobody may look into is closed to both. */
  async function seen(look: Look['look'], here: Place, server = { uid: 0, gid: 0 }): Promise<string[]> {
    chmodSync(base, 0o755)
    if (isRoot) process.setegid!(me.gid)
    if (isRoot) process.seteuid!(me.uid)
    try {
      return told(await look({ ...here, me, server }))
    } finally {
      if (isRoot) process.seteuid!(own.uid)
      if (isRoot) process.setegid!(own.gid)
    }
  }
  const unseen = async (look: Look['look'], here: Place) =>
    (await seen(look, here)).filter((line) => line.includes('.unseen'))
  function close(...names: string[]): void {
    for (const name of names) chmodSync(at(name), 0)
  }
  const notes = (id: string, names: string[]) => names.map((name) => `note ${id} ${name}`)

  it('is said of folders, and of what lies in them', async () => {
    chmodSync(at('root'), 0)
    const inside = ['etc', 'log', 'tmp', 'bin', 'home/sftp/uploads'].map((name) => `root/${name}`)
    const found = await unseen(lookAtFolders, place)
    chmodSync(at('root'), 0o755)
    expect(found).toEqual(notes('folders.unseen', inside))
  })

  it.each<[id: string, look: Look['look'], names: string[]]>([
    [
      'keys.unseen',
      lookAtKeys,
      ['root/etc/updates.key', 'root/etc/updates.pub', 'root/etc/license.pub', 'root/etc/api.token'],
    ],
    ['lists.unseen', lookAtLists, ['root/etc/logs.txt', 'sysconf/build.json']],
    ['scripts.unseen', lookAtScripts, ['scripts/update.sh', 'scripts/lib.sh']],
    ['certificate.unseen', lookAtCertificate, ['sysconf/pki/tls/certs/enterprise.crt']],
    ['certificate.unseen', lookAtCertificate, ['sysconf/pki/tls/private/enterprise.key']],
    ['license.unseen', lookAtLicense, ['root/etc/license.asc']],
    ['license.unseen', lookAtLicense, ['root/etc/license.pub']],
    ['persist.unseen', lookAtPersist, ['system/etc/sysconfig/backup_device']],
  ])('is said of %s', async (id, look, names) => {
    for (const name of ['root', 'root/etc', 'sysconf', 'scripts']) chmodSync(at(name), 0o755)
    for (const name of ['backup', 'logs', 'debug', 'version', 'changelog']) chmodSync(inRoot(`etc/${name}.txt`), 0o644)
    for (const name of ['updates.key', 'updates.pub', 'license.pub']) chmodSync(inRoot(`etc/${name}`), 0o644)
    installPair(place.folders, await makeSelfSigned({ names: { hosts: ['a'], addresses: [] }, now: place.now }))
    for (const name of ['', '/pki', '/pki/tls', '/pki/tls/private', '/pki/tls/certs'])
      chmodSync(at(`sysconf${name}`), 0o755)
    chmodSync(inSysconf('pki/tls/private/enterprise.key'), 0o644)
    lay(inRoot('etc/api.token'), 'sha256 00\n')
    lay(inRoot('etc/license.asc'), '{}\n')
    lay(at('system/usr/bin/symlinktool.sh'), '', 0o755)
    lay(at('system/etc/sysconfig/backup_device'), 'sda1\n')
    expect(await unseen(look, place)).toEqual([])
    close(...names)
    expect(await unseen(look, place)).toEqual(notes(id, names))
  })

  it('is wrong where the server itself looks, and may not see its token', async () => {
    for (const name of ['root', 'root/etc']) chmodSync(at(name), 0o755)
    lay(inRoot('etc/api.token'), 'sha256 00\n', 0)
    expect(await seen(lookAtKeys, place, me)).toContain('error keys.token-closed root/etc/api.token')
  })

  it('hides nothing of what they see: a certificate that is none, with a key that is closed to them', async () => {
    const [cert, key] = ['sysconf/pki/tls/certs/enterprise.crt', 'sysconf/pki/tls/private/enterprise.key'] as const
    lay(at(cert), 'no certificate\n')
    lay(at(key), 'no key\n', 0)
    for (const name of ['', '/pki', '/pki/tls', '/pki/tls/private', '/pki/tls/certs'])
      chmodSync(at(`sysconf${name}`), 0o755)
    expect(await seen(lookAtCertificate, place)).toEqual([
      ...[`note certificate.unseen ${key}`, `error certificate.broken ${cert}`],
    ])
  })

  it('is said of the settings of the scripts, and of hooks', async () => {
    for (const name of ['root', 'root/bin', 'scripts']) chmodSync(at(name), 0o755)
    lay(at('scripts/settings'), '')
    const sudo = await configured({ privilege: 'sudo' })
    close('scripts/settings')
    expect(await unseen(lookAtConfiguration, sudo)).toEqual(notes('configuration.unseen', ['scripts/settings']))
    const hooks = ['network', 'storage', 'certs', 'reboot'].map((name) => `root/bin/${name}.sh`)
    // Whether root could start them or not.
    for (const mode of [0o711, 0o600]) {
      for (const name of hooks) chmodSync(at(name), mode)
      if (isRoot) expect(await seen(lookAtHooks, place)).toEqual(notes('hooks.unseen', hooks))
    }
  })

  it('is said of folders that root has to have', async () => {
    for (const name of ['locks', 'work']) mkdirSync(join(place.folders.state, name), { recursive: true })
    chmodSync(at('state'), 0)
    const sudo = await configured({ privilege: 'sudo' })
    const found = await unseen(lookAtOwners, sudo)
    chmodSync(at('state'), 0o700)
    expect(found).toEqual(notes('owners.unseen', ['state/locks', 'state/work']))
  })
})
