// `edge-admin check` on sample appliances that are broken in one place: the break is real (files, modes, programs), and is found.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { scriptFault } from '../../src/drivers/first-line.ts'
import { lookAtCertificate } from '../../src/features/check/certificate.ts'
import { checkAll, LOOKS, lookOnce } from '../../src/features/check/check.ts'
import { lookAtClock } from '../../src/features/check/clock.ts'
import { lookAtConfiguration } from '../../src/features/check/configuration.ts'
import { type Finding, isWrong } from '../../src/features/check/finding.ts'
import { lookAtFolders } from '../../src/features/check/folders.ts'
import { lookAtHooks } from '../../src/features/check/hooks.ts'
import { lookAtKeys } from '../../src/features/check/keys.ts'
import { lookAtLicense } from '../../src/features/check/license.ts'
import { lookAtLists } from '../../src/features/check/lists.ts'
import { isNewEnough, lookAtNode } from '../../src/features/check/node.ts'
import { lookAtOwners } from '../../src/features/check/owners.ts'
import { lookAtPersist } from '../../src/features/check/persist.ts'
import type { Place } from '../../src/features/check/place.ts'
import { lookAtPorts } from '../../src/features/check/ports.ts'
import { lookAtPrograms } from '../../src/features/check/programs.ts'
import { reportLines } from '../../src/features/check/report.ts'
import { lookAtScripts } from '../../src/features/check/scripts.ts'
import { lookAtShareUsers } from '../../src/features/check/share-users.ts'
import { lookAtSpace, unfit } from '../../src/features/check/space.ts'
import { lookAtSudo, SUDO_SCRIPTS } from '../../src/features/check/sudo.ts'
import { makeSelfSigned } from '../../src/http/server/self-made.ts'
import { installPair } from '../../src/http/server/tls.ts'
import { takeState } from '../../src/tasks/server-lock.ts'
import {
  at,
  base,
  configured,
  DAY,
  finds,
  ids,
  inRoot,
  inSysconf,
  isRoot,
  lay,
  otherwise,
  place,
  sampleAppliance,
  settings,
  told,
} from './check-place.ts'

sampleAppliance()

describe('the sample appliance', () => {
  it('has nothing wrong', async () => {
    const { findings, isWell } = await checkAll(place)
    expect(findings.filter(isWrong)).toEqual([])
    expect(isWell).toBe(true)
    for (const { id } of findings) expect(id).toMatch(/^[a-z]+\.[a-z-]+$/)
  })
})

describe('folders', () => {
  it('that are missing, files, or links to nowhere', async () => {
    rmSync(inRoot('tmp'), { recursive: true })
    rmSync(inRoot('log'), { recursive: true })
    lay(inRoot('log'), '')
    rmSync(inRoot('bin'), { recursive: true })
    symlinkSync('/nowhere/at/all', inRoot('bin'))
    await finds(lookAtFolders, [
      ['folders.not-a-folder', 'root/log'],
      ['folders.missing', 'root/tmp'],
      ['folders.dangling', 'root/bin'],
    ])
  })

  it('that everybody may change', async () => {
    chmodSync(inRoot('etc'), 0o777)
    await finds(lookAtFolders, [['folders.open', 'root/etc']])
    chmodSync(inRoot('etc'), 0o1777)
    await finds(lookAtFolders, [])
  })

  it('that the server’s user cannot write', async (context) => {
    const server = { uid: 4711, gid: 4711 }
    if (!isRoot) return context.skip('only root can give files to others')
    for (const name of ['root', 'sysconf', 'data', 'state']) chownSync(at(name), 4711, 4711)
    for (const name of ['etc', 'tmp', 'home/sftp/uploads']) chownSync(inRoot(name), 4711, 4711)
    chmodSync(inRoot('log'), 0o755)
    await finds(lookAtFolders, [['folders.not-writable', 'root/log']], await otherwise({ server }))
  })

  it('of root’s server that somebody else could lay hooks into', async (context) => {
    if (!isRoot) return context.skip('only root can give files to others')
    chownSync(inRoot('bin'), 4711, 4711)
    await finds(lookAtFolders, [['folders.owner', 'root/bin']])
  })
})

describe('owners in sudo mode', () => {
  it('are root’s, the folders above as well', async (context) => {
    const sudo = await otherwise({ configured: { settings: settings({ privilege: 'sudo' }), file: undefined } })
    if (!isRoot) return context.skip('only root can give files to others')
    for (const name of ['locks', 'work']) mkdirSync(join(place.folders.state, name), { recursive: true })
    // Sticky, as owners.sh makes it, and the temporary folder of this machine is.
    for (const name of ['etc', 'log', 'home/sftp/uploads']) chmodSync(inRoot(name), 0o3770)
    chmodSync(base, 0o755)
    for (const folder of ['root', 'sysconf', 'scripts']) chmodSync(at(folder), 0o755)
    expect(ids(await lookAtOwners(sudo))).toEqual(['owners.ok'])
    chownSync(inRoot('etc/updates.key'), 4711, 4711)
    chmodSync(inRoot('etc/backup.txt'), 0o660)
    chmodSync(at('sysconf'), 0o777)
    await finds(
      lookAtOwners,
      [
        ['owners.not-root', 'sysconf'],
        ['owners.not-root', 'root/etc/updates.key'],
        ['owners.not-root', 'root/etc/backup.txt'],
      ],
      sudo,
    )
    const said = (() => {
      const code = `. ${at('scripts/lib.sh')}; check_owners`
      const { root, sysconf, data, state } = place.folders
      lay(
        at('scripts/settings'),
        `EDGE_ROOT='${root}'\nEDGE_SYSCONFDIR='${sysconf}'\nEDGE_DATADIR='${data}'\nEDGE_STATEDIR='${state}'\n`,
      )
      try {
        return execFileSync('sh', ['-c', code, at('scripts/update.sh')], {
          env: { ...process.env, SUDO_UID: '4711' },
          encoding: 'utf8',
          stdio: 'pipe',
        })
      } catch (error) {
        return String((error as { stderr: string }).stderr)
      }
    })()
    expect(said).toContain('must belong to root')
  })

  it('are nobody’s concern without it', async () => {
    expect(await lookAtOwners(place)).toEqual([])
  })
})

describe('node', () => {
  it('is compared by its numbers', () => {
    const judged = ['v20.19.0', 'v20.18.3', 'v22.1.0', 'v18.20.4', 'v100.0.0', 'x'].map((one) => [
      one,
      isNewEnough(one),
    ])
    expect(Object.fromEntries(judged)).toEqual({
      'v20.19.0': true,
      'v20.18.3': false,
      'v22.1.0': true,
      'v18.20.4': false,
      'v100.0.0': true,
      x: false,
    })
  })

  it('that is too old, or not where tasks look for it', async () => {
    lay(at('programs/node'), '#!/bin/sh\necho v18.20.4\n', 0o755)
    await finds(lookAtNode, [['node.old', 'programs/node']], await otherwise({ path: [at('programs')] }))
    for (const text of ['', 'echo hello', 'kill -4 $$']) {
      lay(at('programs/node'), `#!/bin/sh\n${text}\n`, 0o755)
      await finds(lookAtNode, [['node.broken', 'programs/node']], await otherwise({ path: [at('programs')] }))
    }
    rmSync(at('programs/node'))
    await finds(lookAtNode, [['node.missing', 'node']], await otherwise({ path: [at('programs')] }))
    expect(ids(await lookAtNode(place))).toEqual(['node.ok'])
  })
})

describe('programs', () => {
  /** The machine's own, by links, without some and with others. */
  async function having(without: string[], instead: Record<string, string> = {}): Promise<Place> {
    mkdirSync(at('programs'))
    for (const folder of place.path)
      for (const name of existsSync(folder) ? execFileSync('ls', [folder], { encoding: 'utf8' }).split('\n') : [])
        if (name && !without.includes(name) && !(name in instead) && !existsSync(at('programs', name)))
          symlinkSync(join(folder, name), at('programs', name))
    for (const [name, text] of Object.entries(instead)) lay(at('programs', name), text, 0o755)
    return otherwise({ path: [at('programs')] })
  }

  it('that are missing', async () => {
    const here = await having(['flock', 'openssl', 'tar'])
    await finds(
      lookAtPrograms,
      [
        ['programs.missing', 'flock'],
        ['programs.missing', 'openssl'],
        ['programs.missing', 'tar'],
      ],
      here,
    )
  })

  it('that cannot do what is asked of them', async () => {
    const openssl = `#!/bin/sh
case $* in *-pbkdf2*) echo "enc: Unrecognized flag pbkdf2" >&2; exit 1 ;; esac
exec /usr/bin/openssl "$@"
`
    const names = ['flock', 'dd', 'timeout', 'stat', 'readlink', 'find', 'od', 'awk', 'head', 'gzip']
    const here = await having([], {
      ...Object.fromEntries(names.map((name) => [name, '#!/bin/sh\nexit 1\n'])),
      openssl,
    })
    const unable = (name: string): [string, string] => ['programs.unable', `programs/${name}`]
    await finds(lookAtPrograms, ['openssl', ...names].map(unable), here)
    lay(at('programs/openssl'), '#!/bin/sh\n[ "$1" != verify ] && exec /usr/bin/openssl "$@"\n', 0o755)
    const [first] = (await lookAtPrograms(here)).filter(isWrong)
    expect(first?.message).toBe('it knows no -partial_chain')
  })

  it('that only some tasks need, where no hook does their work', async () => {
    const optional = ['ip', 'networkctl', 'udhcpc', 'dhclient', 'systemctl', 'reboot', 'zpool']
    const { path } = await having(optional)
    const about = async (more: object = {}) =>
      told(await lookAtPrograms(await configured(more, { path }))).filter((line) => !/^ok|(missing|unable)/.test(line))
    const controller = { surfaces: { controller: { enabled: true } } }
    expect([await about(), await about(controller)]).toEqual([[], ['note programs.zfs zpool']])
    for (const name of ['network', 'reboot']) rmSync(inRoot(`bin/${name}.sh`))
    expect(await about()).toEqual(['warning programs.network ip', 'warning programs.reboot reboot'])
    expect(await about({ endpoints: [] })).toEqual(['warning programs.reboot reboot'])
    for (const name of ['ip', 'reboot', 'zpool']) lay(at('programs', name), '', 0o755)
    expect(await about(controller)).toEqual(['note programs.dhcp udhcpc'])
    lay(at('programs/dhclient'), '', 0o755)
    expect(await about()).toEqual([])
  })

  it('that are all there, by their versions', async () => {
    const said = (await lookAtPrograms(place)).map(({ id, subject, message }) => [id, basename(subject), message])
    expect(said).toEqual([
      ['programs.ok', 'programs', 'what every task needs is there, and can do it'],
      ['programs.version', 'openssl', expect.stringMatching(/^OpenSSL [0-9]/)],
      ['programs.version', 'tar', expect.stringMatching(/tar/i)],
    ])
  })
})

describe('the programs of busybox', () => {
  it('can do all that is asked of them', async (context) => {
    const busybox = place.path.map((folder) => join(folder, 'busybox')).find(existsSync)
    if (!busybox) return context.skip('busybox is not installed')
    mkdirSync(at('programs'))
    for (const name of execFileSync(busybox, ['--list'], { encoding: 'utf8' }).split('\n').filter(Boolean))
      symlinkSync(busybox, at('programs', name))
    // Debian's has no flock, and none has an openssl.
    for (const name of ['flock', 'openssl'])
      if (!existsSync(at('programs', name)))
        symlinkSync(place.path.map((folder) => join(folder, name)).find(existsSync)!, at('programs', name))
    await finds(lookAtPrograms, [], await otherwise({ path: [at('programs')] }))
  })
})

describe('space', () => {
  it('is asked of the file system, and of what kind it is', async () => {
    const findings = await lookAtSpace(place)
    expect(findings.filter(isWrong)).toEqual([])
    expect(ids(findings)).toContain('space.ok')
    expect([unfit(0x4d44, true), unfit(0x6969, false)].map((text) => text?.split(',')[0])).toEqual([
      'it lies on FAT',
      'it lies on NFS',
    ])
    expect([unfit(0x6969, true), unfit(0xef53, false)]).toEqual([undefined, undefined])
  })
})

describe('sudo', () => {
  const grant = (kinds: string[], version = '1.9.13p3') => `#!/bin/sh
case $1 in
  -V) echo 'Sudo version ${version}' ;;
  *) echo 'User admin may run the following commands on box:'
    echo '    (root) NOPASSWD: ${kinds.map((kind) => `${at('scripts', kind)}.sh ^(run|recover|cancel) x$`).join(', ')}' ;;
esac
`
  const here = (me = { uid: 0, gid: 0 }) =>
    otherwise({
      configured: { settings: settings({ privilege: 'sudo' }), file: undefined },
      server: { uid: 4711, gid: 4711 },
      me,
    })
  const sudo = (text: string) => lay(at('system/usr/bin/sudo'), text, 0o755)

  it('is asked for nothing without sudo mode', async () => {
    expect(await lookAtSudo(place)).toEqual([])
  })

  it('that is missing, too old, or lets the server start nothing', async () => {
    await finds(lookAtSudo, [['sudo.missing', 'system/usr/bin/sudo']], await here())
    sudo(grant(SUDO_SCRIPTS))
    await finds(lookAtSudo, [], await here())
    sudo(grant(SUDO_SCRIPTS, '1.9.5p2'))
    await finds(lookAtSudo, [['sudo.old', 'system/usr/bin/sudo']], await here())
    sudo(grant(SUDO_SCRIPTS.filter((kind) => kind !== 'restore')))
    const findings = (await lookAtSudo(await here())).filter(isWrong)
    expect(findings.map(({ id, message }) => [id, message])).toEqual([
      ['sudo.fragment-missing', 'it does not let admin start without a password: restore.sh'],
    ])
    sudo('#!/bin/sh\n[ "$1" != -V ] || echo "Sudo version 1.9.16"\n[ "$1" = -V ]\n')
    await finds(lookAtSudo, [['sudo.fragment-missing', 'system/usr/bin/sudo']], await here())
  })

  it('is not asked by those whom it would not tell, and that is said', async () => {
    sudo(grant([]))
    const findings = await lookAtSudo(await here({ uid: 12, gid: 12 }))
    expect([findings.filter(isWrong), ids(findings)]).toEqual([[], ['sudo.version', 'sudo.unseen']])
  })

  it('refuses a user whose account nobody wrote down, or that has expired', async () => {
    sudo(grant(SUDO_SCRIPTS))
    const shadow = (...lines: string[]) => lay(at('system/etc/shadow'), ['root:!:19000::::::', ...lines, ''].join('\n'))
    shadow()
    // A sudo without PAM does not ask.
    await finds(lookAtSudo, [], await here())
    mkdirSync(at('system/etc/pam.d'))
    await finds(lookAtSudo, [['sudo.account', 'system/etc/shadow']], await here())
    rmSync(at('system/etc/shadow'))
    await finds(lookAtSudo, [['sudo.account', 'system/etc/shadow']], await here())
    shadow('admin:!:19000::::::')
    await finds(lookAtSudo, [], await here())
    shadow('admin:!:19000:0:99999:7::19001:')
    await finds(lookAtSudo, [['sudo.account', 'system/etc/shadow']], await here())
    shadow()
    lay(at('system/etc/passwd'), 'root:x:0:0::/root:/bin/sh\nadmin:*:4711:4711::/:/bin/false\n')
    await finds(lookAtSudo, [], await here())
  })

  it('cannot work for a server that is root', async () => {
    sudo(grant(SUDO_SCRIPTS))
    const root = { ...(await here()), server: { uid: 0, gid: 0 } }
    await finds(lookAtSudo, [['sudo.server-is-root', 'system/usr/bin/sudo']], root)
  })
})

describe('scripts', () => {
  it('that are missing, not executable or saved on Windows', async () => {
    rmSync(at('scripts/update.sh'))
    chmodSync(at('scripts/backup.sh'), 0o644)
    lay(at('scripts/lib.sh'), readFileSync(at('scripts/lib.sh'), 'utf8').replaceAll('\n', '\r\n'))
    await finds(lookAtScripts, [
      ['scripts.not-executable', 'scripts/backup.sh'],
      ['scripts.missing', 'scripts/update.sh'],
      ['scripts.line-ends', 'scripts/lib.sh'],
    ])
  })

  it('that are others than the program was built with', async () => {
    const findings = await lookAtScripts(place, { 'logs.sh': '0'.repeat(64) })
    expect(findings.map(({ id, level, subject }) => [id, level, subject])).toEqual([
      ['scripts.other', 'note', at('scripts/logs.sh')],
    ])
  })
})

describe('keys', () => {
  it('that are missing', async () => {
    for (const name of ['updates.key', 'updates.pub']) rmSync(inRoot(`etc/${name}`))
    await finds(lookAtKeys, [
      ['keys.missing', 'root/etc/updates.key'],
      ['keys.missing', 'root/etc/updates.pub'],
    ])
  })

  it('that nobody can read as keys', async () => {
    lay(inRoot('etc/updates.key'), '\nsecond line\n', 0o600)
    lay(inRoot('etc/updates.pub'), 'no key\n')
    rmSync(inRoot('etc/license.pub'))
    mkdirSync(inRoot('etc/license.pub'))
    await finds(lookAtKeys, [
      ['keys.broken', 'root/etc/updates.key'],
      ['keys.broken', 'root/etc/updates.pub'],
      ['keys.broken', 'root/etc/license.pub'],
    ])
  })

  it('that a carriage return belongs to, that anybody may read, that are of another kind, that are private', async () => {
    lay(inRoot('etc/updates.key'), 'secret\r\n', 0o644)
    cpSync(inRoot('etc/license.pub'), inRoot('etc/updates.pub'))
    cpSync(join(place.folders.state, 'vendor/license.priv'), inRoot('etc/license.pub'))
    await finds(lookAtKeys, [
      ['keys.line-end', 'root/etc/updates.key'],
      ['keys.open', 'root/etc/updates.key'],
      ['keys.not-rsa', 'root/etc/updates.pub'],
      ['keys.private', 'root/etc/license.pub'],
    ])
  })

  it('of the vendor that do not belong here, and pipes, which nobody waits for', async () => {
    cpSync(join(place.folders.state, 'vendor/updates.priv'), inRoot('etc/updates.priv'))
    rmSync(inRoot('etc/updates.key'))
    execFileSync('mkfifo', [inRoot('etc/updates.key')])
    await finds(lookAtKeys, [
      ['keys.broken', 'root/etc/updates.key'],
      ['keys.private', 'root/etc/updates.priv'],
    ])
  })

  it('and a token that the server’s user may not read', async () => {
    lay(inRoot('etc/api.token'), 'sha256 00\n', 0o600)
    await finds(
      lookAtKeys,
      [['keys.token-closed', 'root/etc/api.token']],
      await otherwise({ server: { uid: 4711, gid: 4711 } }),
    )
    for (const text of ['', '\n', '\r\n', '\ufeff\nsecond line\n']) {
      lay(inRoot('etc/api.token'), text)
      await finds(lookAtKeys, [['keys.token-broken', 'root/etc/api.token']])
    }
  })

  it('and a token that the server’s user reads by one of its groups', async (context) => {
    const file = lay(inRoot('etc/api.token'), 'sha256 00\n', 0o640)
    // Read by the server itself, whatever group it was by.
    await finds(lookAtKeys, [], await otherwise({ server: { ...place.me, gid: 4999 } }))
    if (!isRoot) return context.skip('only root can give files to others')
    const server = { uid: 4711, gid: 4999 }
    chownSync(file, 0, 4800)
    await finds(lookAtKeys, [['keys.token-closed', 'root/etc/api.token']], await otherwise({ server }))
    lay(at('system/etc/group'), 'admin:x:4711:\nkeys:x:4800:other,admin\nadministrators:x:4801:administrator\n')
    await finds(lookAtKeys, [], await otherwise({ server }))
    chownSync(file, 0, 4711)
    await finds(lookAtKeys, [], await otherwise({ server }))
    chownSync(file, 0, 4801)
    await finds(lookAtKeys, [['keys.token-closed', 'root/etc/api.token']], await otherwise({ server }))
  })
})

describe('lists', () => {
  const missing = (...names: string[]) => names.map((name): [string, string] => ['lists.missing', name])

  it('that are missing', async () => {
    for (const name of ['backup', 'logs', 'debug', 'version', 'changelog']) rmSync(inRoot(`etc/${name}.txt`))
    for (const name of ['storage-options.json', 'build.json']) rmSync(inSysconf(name))
    await finds(
      lookAtLists,
      missing('root/etc/backup.txt', 'root/etc/logs.txt', 'root/etc/debug.txt', 'root/etc/version.txt'),
    )
    expect(ids(await lookAtLists(place)).filter((id) => id === 'lists.missing')).toHaveLength(7)
    const options = (await lookAtLists(place)).find(({ subject }) => subject === inSysconf('storage-options.json'))
    expect([options?.level, options?.message]).toEqual([
      'note',
      'it is not there, so GET /storage offers all five kinds of storage',
    ])
  })

  it('that are missed only where their endpoint is on', async () => {
    rmSync(inRoot('etc/backup.txt'))
    rmSync(inSysconf('storage-options.json'))
    await finds(
      lookAtLists,
      [],
      await otherwise({ configured: { settings: settings({ endpoints: [] }), file: undefined } }),
    )
  })

  it('that are no text', async () => {
    lay(inRoot('etc/backup.txt'), Buffer.from('\ufeffetc home\n', 'utf16le'))
    lay(inRoot('etc/logs.txt'), Buffer.from('/var\0/log'))
    rmSync(inRoot('etc/debug.txt'))
    mkdirSync(inRoot('etc/debug.txt'))
    lay(inSysconf('build.json'), Buffer.from([0x7b, 0xe4, 0x7d]))
    await finds(lookAtLists, [
      ['lists.not-text', 'root/etc/backup.txt'],
      ['lists.not-text', 'root/etc/logs.txt'],
      ['lists.not-a-file', 'root/etc/debug.txt'],
      ['lists.not-text', 'sysconf/build.json'],
    ])
  })

  it('that have another form', async () => {
    lay(inRoot('etc/backup.txt'), 'etc ../other\n')
    lay(inRoot('etc/logs.txt'), 'var/log\n')
    lay(inRoot('etc/version.txt'), 'version one\n')
    lay(inRoot('etc/product.txt'), '\n')
    lay(inSysconf('build.json'), '["a"\n')
    lay(inRoot('etc/health.json'), '{"disk":\n')
    lay(inSysconf('storage-options.json'), '{"options":["local","floppy"]}\n')
    lay(inSysconf('allservices.txt'), 'good ../bad\n')
    const all = [
      'root/etc/backup.txt',
      'root/etc/logs.txt',
      'root/etc/version.txt',
      'root/etc/product.txt',
      'sysconf/build.json',
      'root/etc/health.json',
      'sysconf/storage-options.json',
      'sysconf/allservices.txt',
    ]
    await finds(
      lookAtLists,
      all.map((name) => ['lists.malformed', name]),
    )
  })

  it('of the build may be any JSON, and of the health an object', async () => {
    for (const text of ['["a"]\n', '"1.0.0"', 'null']) {
      lay(inSysconf('build.json'), text)
      await finds(lookAtLists, [])
    }
    lay(inRoot('etc/health.json'), '["a"]\n')
    await finds(lookAtLists, [['lists.malformed', 'root/etc/health.json']])
  })

  it('that name a service which nothing can ask', async () => {
    rmSync(inSysconf('init.d/sample-app'))
    await finds(lookAtLists, [['lists.no-service', 'sysconf/allservices.txt']])
  })

  it('with a byte order mark and the line ends of Windows are read all the same', async () => {
    lay(inRoot('etc/backup.txt'), '\ufeffetc home\r\n')
    lay(inRoot('etc/version.txt'), '\ufeff1.0.0\r\n')
    await finds(lookAtLists, [])
  })
})

describe('hooks', () => {
  it('that could not be started', async () => {
    chmodSync(inRoot('bin/network.sh'), 0o644)
    lay(inRoot('bin/storage.sh'), '#!/bin/sh\r\nexit 0\r\n', 0o755)
    lay(inRoot('bin/certs.sh'), '#!/usr/bin/no-such-shell\n', 0o755)
    rmSync(inRoot('bin/reboot.sh'))
    mkdirSync(inRoot('bin/reboot.sh'))
    lay(inRoot('bin/license.sh'), '', 0o755)
    await finds(lookAtHooks, [
      ['hooks.not-executable', 'root/bin/network.sh'],
      ['hooks.line-ends', 'root/bin/storage.sh'],
      ['hooks.interpreter-missing', 'root/bin/certs.sh'],
      ['hooks.empty', 'root/bin/license.sh'],
      ['hooks.not-a-file', 'root/bin/reboot.sh'],
    ])
  })

  const [ELF, MARK] = [Buffer.from('\x7fELF\x02\x01'), '\ufeff']
  const sh = '#!/bin/sh\n'
  it.each<[what: string, text: string | Buffer, ofScript: string, id: string | undefined]>([
    ['a script', `${sh}exit 0\n`, '', undefined],
    ['a program', Buffer.concat([ELF, Buffer.from('\r\n\r\n')]), '', undefined],
    ['a program of two mebibytes', Buffer.concat([ELF, Buffer.alloc(2 << 20)]), '', undefined],
    ['a script of two mebibytes', `${sh}${'# more\n'.repeat(300_000)}`, '', undefined],
    ['CR LF below the first line', `${sh}cat <<END\nHello\r\nEND\n`, '', undefined],
    ['CR LF behind all that is looked at', `#!/bin/sh ${' '.repeat(245)}\r\n`, '', undefined],
    ['CR LF', '#!/bin/sh\r\nexit 0\r\n', 'the lines of x.sh end in CR LF', 'hooks.line-ends'],
    ['CR LF and no interpreter', 'exit 0\r\n', 'the lines of x.sh end in CR LF', 'hooks.line-ends'],
    ['UTF-16', Buffer.from(`${MARK}${sh}`, 'utf16le'), 'x.sh is UTF-16', 'hooks.not-text'],
    ['UTF-16, the other one', Buffer.from(`${MARK}${sh}`, 'utf16le').swap16(), 'x.sh is UTF-16', 'hooks.not-text'],
    ['UTF-8 with its mark', `${MARK}${sh}`, 'x.sh begins with a byte order mark', 'hooks.byte-order-mark'],
    [
      ...(['no such interpreter', '#! /no/such/bash -e\n'] as const),
      ...(['the interpreter of x.sh is not here: /no/such/bash', 'hooks.interpreter-missing'] as const),
    ],
  ])('of this form are judged as the scripts judge them: %s', async (_what, text, ofScript, id) => {
    const file = lay(inRoot('bin/certs.sh'), text, 0o755)
    const code = `. ${at('scripts/hook.sh')}; script_fault "$1" x.sh`
    expect(execFileSync('sh', ['-c', code, 'sh', file], { encoding: 'utf8' })).toBe(ofScript)
    expect(scriptFault(file, 'x.sh') ?? '').toBe(ofScript)
    const judged = (await lookAtHooks(place)).filter(({ subject }) => subject === file)
    expect(ids(judged)).toEqual([id ?? 'hooks.ok'])
  })

  it('that others than root may change, and root runs', async (context) => {
    if (!isRoot) return context.skip('only root can give files to others')
    chmodSync(inRoot('bin/network.sh'), 0o775)
    await finds(lookAtHooks, [['hooks.owner', 'root/bin/network.sh']])
  })
})

describe('the clock', () => {
  it('that is in the past, went back, or that nobody keeps', async () => {
    await finds(lookAtClock, [['clock.wrong', 'clock']], await otherwise({ now: 0 }))
    lay(join(place.folders.state, 'boots.json'), '{}')
    const later = new Date(place.now + 10 * DAY)
    utimesSync(join(place.folders.state, 'boots.json'), later, later)
    await finds(lookAtClock, [['clock.went-back', 'clock']])
    rmSync(join(place.folders.state, 'boots.json'))
    lay(inSysconf('network.conf'), "mode=dhcp\nntpserver='pool.ntp.org'\n")
    const here = await otherwise({ path: [at('programs')] })
    await finds(lookAtClock, [['clock.no-keeper', 'clock']], here)
    lay(at('programs/chronyd'), '', 0o755)
    lay(at('system/etc/chrony.conf'), '')
    await finds(lookAtClock, [], here)
  })
})

describe('the certificate', () => {
  const names = { hosts: ['localhost'], addresses: ['127.0.0.1'] }

  it('that has no key, another key, has ended or ends soon', async () => {
    installPair(place.folders, await makeSelfSigned({ names, now: place.now }))
    await finds(lookAtCertificate, [])
    const [ended, soon] = [900, 800]
    await finds(
      lookAtCertificate,
      [['certificate.ended', 'sysconf/pki/tls/certs/enterprise.crt']],
      await otherwise({ now: place.now + ended * DAY }),
    )
    await finds(
      lookAtCertificate,
      [['certificate.ends-soon', 'sysconf/pki/tls/certs/enterprise.crt']],
      await otherwise({ now: place.now + soon * DAY }),
    )
    const key = inSysconf('pki/tls/private/enterprise.key')
    chmodSync(key, 0o644)
    await finds(lookAtCertificate, [['certificate.key-open', 'sysconf/pki/tls/private/enterprise.key']])
    lay(key, (await makeSelfSigned({ names, now: place.now })).key, 0o600)
    await finds(lookAtCertificate, [['certificate.broken', 'sysconf/pki/tls/private/enterprise.key']])
    rmSync(key)
    await finds(lookAtCertificate, [['certificate.no-key', 'sysconf/pki/tls/private/enterprise.key']])
  })
})

describe('the license', () => {
  it('that is not valid, or that nobody can judge', async () => {
    lay(inRoot('etc/license.asc'), 'nothing\n')
    await finds(lookAtLicense, [['license.invalid', 'root/etc/license.asc']])
    rmSync(inRoot('etc/license.pub'))
    await finds(lookAtLicense, [['license.no-judge', 'root/etc/license.pub']])
  })

  it('is left to a hook, which is not run', async () => {
    lay(inRoot('bin/license.sh'), `#!/bin/sh\n: >${at('was-run')}\n`, 0o755)
    expect(ids(await lookAtLicense(place))).toEqual(['license.by-hook'])
    await checkAll(place)
    expect(existsSync(at('was-run'))).toBe(false)
  })
})

describe('the configuration', () => {
  it('that is wrong, or names what is not here', async () => {
    const fault = `${at('sysconf/edge-admin.json')}: lable: unknown key. Did you mean label?`
    await finds(
      lookAtConfiguration,
      [['configuration.wrong', 'sysconf/edge-admin.json']],
      await otherwise({ configured: { settings: settings(), file: at('sysconf/edge-admin.json'), fault } }),
    )
    await finds(
      lookAtConfiguration,
      [['configuration.wrapper', 'root/bin/wrapper.sh']],
      await configured({ wrapper: inRoot('bin/wrapper.sh') }),
    )
    lay(inRoot('bin/wrapper.sh'), '#!/bin/sh\n', 0o755)
    const wrapped = (privilege: string) => configured({ wrapper: inRoot('bin/wrapper.sh'), privilege })
    expect(ids(await lookAtConfiguration(await wrapped('none')))).not.toContain('configuration.wrapper-sudo')
    expect(ids(await lookAtConfiguration(await wrapped('sudo')))).toContain('configuration.wrapper-sudo')
    await finds(
      lookAtConfiguration,
      [['configuration.log-file', 'no/such/folder/log']],
      await configured({ log: { file: at('no/such/folder/log') } }),
    )
    const unknown = await lookAtConfiguration(await configured({ endpoints: ['backup', 'custom'] }))
    expect(ids(unknown)).toEqual(['configuration.unknown-endpoint'])
  })

  it('that the settings of the scripts are out of step with', async () => {
    const { root, sysconf, data, state } = place.folders
    const text = (label: string) =>
      `EDGE_ROOT='${root}'\nEDGE_SYSCONFDIR='${sysconf}'\nEDGE_DATADIR='${data}'\nEDGE_STATEDIR='${state}'\nEDGE_LABEL=${label}\nEDGE_LEGACY_MD5=0\nEDGE_UNPACK_LIMIT=17179869184\nEDGE_LOG_SIZE=16777216\nEDGE_WRAPPER=\n`
    await finds(
      lookAtConfiguration,
      [['configuration.no-settings', 'scripts/settings']],
      await configured({ privilege: 'sudo' }),
    )
    lay(at('scripts/settings'), text('SYSTEM'))
    await finds(lookAtConfiguration, [], await configured({ privilege: 'sudo' }))
    await finds(
      lookAtConfiguration,
      [['configuration.out-of-step', 'scripts/settings']],
      await configured({ privilege: 'sudo', label: 'BOX' }),
    )
  })
})

describe('the port', () => {
  const listening = (listen: object, more: Partial<Place> = {}) =>
    otherwise({ configured: { settings: settings({ listen }), file: undefined }, ...more })

  it('that is root’s, or on an address that nobody has', async () => {
    await finds(
      lookAtPorts,
      [['ports.low', 'listen 0.0.0.0:1']],
      await listening({ host: '0.0.0.0', port: 1 }, { server: { uid: 4711, gid: 4711 } }),
    )
    await finds(
      lookAtPorts,
      [['ports.no-such-address', 'listen 192.0.2.77:8443']],
      await listening({ host: '192.0.2.77' }),
    )
  })

  it('is looked at beside every other one', async () => {
    const ports = [{ port: 1 }, { host: '192.0.2.77', port: 8444 }]
    const found = await lookAtPorts(
      await listening({ host: '0.0.0.0', port: 0, ports }, { server: { uid: 4711, gid: 4711 } }),
    )
    expect(found.map(({ id, subject }) => `${id} ${subject}`)).toEqual([
      'ports.ok listen 0.0.0.0:0',
      'ports.low listen 0.0.0.0:1',
      'ports.no-such-address listen 192.0.2.77:8444',
    ])
  })

  it('of this machine alone is noted', async () => {
    expect(ids(await lookAtPorts(place))).toContain('ports.loopback')
    expect(ids(await lookAtPorts(await listening({ host: '::', port: 0 })))).toEqual(['ports.ok'])
  })

  it('is the one that a running server has told, whatever the configuration says', async () => {
    const [byConfiguration] = (await lookAtPorts(place)).filter(({ id }) => id === 'ports.loopback')
    expect(byConfiguration?.message).toContain('options and environment of the server may say otherwise')
    takeState(place.folders, { host: '0.0.0.0', port: 8444 }, () => {})
    const told = await lookAtPorts(place)
    expect(told.map(({ id, subject }) => [id, subject])).toEqual([['ports.ok', 'listen 0.0.0.0:8444']])
    // As older servers leave it.
    lay(join(place.folders.state, 'server.json'), '{"pid":1,"since":"2020-01-01T00:00:00.000Z"}\n')
    const [untold] = (await lookAtPorts(place)).filter(({ id }) => id === 'ports.loopback')
    expect(untold?.message).toBe(byConfiguration?.message)
  })
})

describe('the tool that keeps the state', () => {
  it('without a device, or that cannot be started', async () => {
    expect(await lookAtPersist(place)).toEqual([])
    const tool = lay(at('system/usr/bin/symlinktool.sh'), '#!/bin/sh\n', 0o755)
    await finds(lookAtPersist, [['persist.no-device', 'system/etc/sysconfig/backup_device']])
    lay(at('system/etc/sysconfig/backup_device'), '\ufeff\r\n')
    await finds(lookAtPersist, [['persist.no-device', 'system/etc/sysconfig/backup_device']])
    lay(at('system/etc/sysconfig/backup_device'), '\ufeffsda1/\r\n')
    expect((await lookAtPersist(place)).map(({ id, message }) => [id, message])).toEqual([
      ['persist.ok', 'it keeps what is changed on sda1/'],
    ])
    chmodSync(tool, 0o644)
    await finds(lookAtPersist, [['persist.not-executable', 'system/usr/bin/symlinktool.sh']])
  })
})

describe('share users', () => {
  it('need their programs, where there are any', async () => {
    const programs = ['getent', 'useradd', 'usermod', 'userdel', 'groupadd', 'groupdel', 'gpasswd', 'smbpasswd']
    for (const name of programs) lay(at('programs', name), '#!/bin/sh\n', 0o755)
    const here = await otherwise({ path: [at('programs')] })
    await finds(lookAtShareUsers, [], here)
    lay(join(place.folders.state, 'share-accounts.json'), '{"accounts":[]}\n', 0o600)
    await finds(
      lookAtShareUsers,
      [
        ['share-users.program', 'pdbedit'],
        ['share-users.program', 'smbstatus'],
      ],
      here,
    )
    for (const name of ['pdbedit', 'smbstatus']) lay(at('programs', name), '#!/bin/sh\n', 0o755)
    expect(ids(await lookAtShareUsers(here))).toEqual(['share-users.ok'])
    // A server with --programs uses those alone.
    const elsewhere = await otherwise({ path: [at('elsewhere')], programs: at('programs') })
    expect(ids(await lookAtShareUsers(elsewhere))).toEqual(['share-users.ok'])
    const missing = await otherwise({ path: [at('programs')], programs: at('elsewhere') })
    expect(new Set(ids(await lookAtShareUsers(missing)))).toEqual(new Set(['share-users.program']))
  })
})

describe('a look', () => {
  it('that does not end is a finding, and so is one that fails', async () => {
    const never = { area: 'disk', look: () => new Promise<Finding[]>(() => {}) }
    expect(ids(await lookOnce(never, place, 10))).toEqual(['disk.no-answer'])
    const fails = { area: 'disk', look: () => Promise.reject(new Error('no')) }
    expect(ids(await lookOnce(fails, place))).toEqual(['disk.failed'])
  })

  it('is dear where it starts programs', async () => {
    lay(at('system/usr/bin/sudo'), '', 0o755)
    let count = 0
    const run: Place['run'] = async () => ({ stdout: `${++count}`, stderr: '', status: 0 })
    const here = await configured({ privilege: 'sudo' }, { run, server: { uid: 4711, gid: 4711 } })
    for (const { area, dear, look } of LOOKS) {
      count = 0
      await look(here)
      expect([area, count > 0]).toEqual([area, dear === true])
    }
  })

  it('changes nothing', async () => {
    const all = () => execFileSync('find', [base, '-printf', '%p %m %s %T@ %C@\\n'], { encoding: 'utf8' })
    const before = all()
    await checkAll(place, LOOKS)
    expect(all()).toBe(before)
  })
})

describe('the report', () => {
  it('has the worst first, the mend below it, and a count', () => {
    const one = (level: Finding['level']): Finding => ({
      id: `a.${level}`,
      level,
      subject: `/${level}`,
      message: 'so it is',
      mend: level === 'ok' ? '' : 'do this',
    })
    expect(reportLines([one('ok'), one('note'), one('error'), one('warning')])).toEqual([
      ...[
        'error    /error: so it is [a.error]',
        '         do this',
        'warning  /warning: so it is [a.warning]',
        '         do this',
      ],
      ...['note     /note: so it is [a.note]', '         do this', '1 error, 1 warning, 1 note; 1 in order'],
    ])
  })
})
