// storage.sh: options in place together, units for the next boot, and what boot.sh does there. Nothing may ever be
// mounted here, so every program that attaches or mounts is a fake, and units are only written and checked.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect } from 'vitest'
import { faultsIn, inTurn } from './pairwise.ts'
import { type Faults, faultRow, Sandbox, SHELLS, SWAP_STEPS } from './sandbox.ts'

const open: Sandbox[] = []
const sandbox = (shell: string, systemd = true) => {
  const made = new Sandbox(shell)
  if (systemd) made.write('net/run/systemd/system/.keep', '')
  open.push(made)
  return made
}
afterEach(() => {
  for (const made of open.splice(0)) made.remove()
})

const options = (members: Record<string, string>) => ({
  'storage.json': `${JSON.stringify({ storage: members })}\n`,
  'storage.conf': Object.entries(members)
    .map(([name, value]) => `${name}="${value.replace(/["\\$`]/g, '\\$&')}"\n`)
    .join(''),
})
const NFS = { type: 'nfs', mount_options: 'noacl,sync', ip: '192.168.1.100', share: '/export/a' }
const ISCSI = {
  type: 'iscsi',
  target: 'iqn.2016-01.com.example:storage.lun1',
  ip: '192.168.1.100',
  username: 'user',
  password: 'p"$(id)`x`\\%s',
}
const NBD = { type: 'nbd', export_name: 'some/export', ip: 'fd00::1', port: '1043' }
const AOE = { type: 'aoe', device: 'e0.0' }
const LOCAL = { type: 'local' }

const files = (made: Sandbox) => [made.read('root/etc/storage.json'), made.read('sysconf/storage.conf')]
const units = (made: Sandbox) => {
  const folder = join(made.net, 'etc/systemd/system')
  if (!existsSync(folder)) return {}
  const names = readdirSync(folder).filter((name) => statSync(join(folder, name)).isFile())
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
}
const wanted = (made: Sandbox) => readdirSync(join(made.net, 'etc/systemd/system/remote-fs.target.wants')).sort()
const mountName = (made: Sandbox) =>
  `${spawnSync('systemd-escape', ['--path', made.data], { encoding: 'utf8' }).stdout.trim()}.mount`
const log = (made: Sandbox) => made.read('root/log/update_storage.log')?.replace(/\[\d+\]/g, '[N]')
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0

describe.each(SHELLS)('storage.sh under %s', (shell) => {
  const test = inTurn(shell)
  test('puts the two files in place and calls the vendor without an argument', () => {
    const made = sandbox(shell, false)
    made.hook('storage', 'echo "called with $#" >>"$EDGE_ROOT/hook"')
    const ended = made.run('storage', { inputs: options(ISCSI) })
    expect(ended.status.status, ended.log).toBe('completed')
    expect(files(made)).toEqual(Object.values(options(ISCSI)))
    expect(made.read('root/hook')).toBe('called with 0\n')
    expect(statSync(join(made.sysconf, 'storage.conf')).mode & 0o777).toBe(0o640)
    expect(log(made)).toBe('[N][SYSTEM] Updating settings. Please wait..\n[N][SYSTEM] Updating settings successful\n')
  })

  test.each([
    ['a missing document', { ...options(NFS), 'storage.json': '' }],
    ['no type', options({ ip: '192.168.1.100' })],
    ['a type that is none', options({ type: 'floppy' })],
    ['a variable that a shell lives by', options({ type: 'local', PATH: '/tmp' })],
    ['a command', { ...options(LOCAL), 'storage.conf': 'type="local"\npassword="$(id)"\n' }],
    [
      'a command behind what is no comment to a shell',
      { ...options(LOCAL), 'storage.conf': '\ufeff# a; id\ntype="local"\n' },
    ],
  ])('refuses %s', (_, inputs) => {
    const made = sandbox(shell)
    const ended = made.run('storage', { inputs })
    expect(ended.status).toMatchObject({ status: 'failed', message: 'Invalid or missing settings file' })
    expect([files(made), units(made)]).toEqual([[undefined, undefined], {}])
    expect(log(made)).toContain('] Invalid or missing settings file\n')
  })

  test('writes a mount unit for NFS, wanted at the next boot', () => {
    const made = sandbox(shell)
    const ended = made.run('storage', { inputs: options(NFS) })
    expect(ended.status.status, ended.log).toBe('completed')
    const written = units(made)
    expect(Object.keys(written)).toEqual([mountName(made)])
    const unit = written[mountName(made)]!
    expect(unit).toContain('\nWhat=192.168.1.100:/export/a\n')
    expect(unit).toContain('\nType=nfs\nOptions=noacl,sync,_netdev\n')
    expect(unit).toContain(`\nWhere=${made.data}\n`)
    expect(wanted(made)).toEqual([mountName(made)])
    expect(readlinkSync(join(made.net, 'etc/systemd/system/remote-fs.target.wants', mountName(made)))).toBe(
      `../${mountName(made)}`,
    )
  })

  test.each([
    ['iscsi', ISCSI],
    ['nbd', NBD],
    ['aoe', AOE],
  ])('writes a service and a mount for %s, without a value of the caller in either', (_, members) => {
    const made = sandbox(shell)
    expect(made.run('storage', { inputs: options(members) }).status.status).toBe('completed')
    const written = units(made)
    expect(Object.keys(written).sort()).toEqual([mountName(made), 'edge-admin-storage.service'].sort())
    expect(wanted(made)).toEqual(Object.keys(written).sort())
    for (const [name, value] of Object.entries(members)) {
      if (name !== 'type') expect(Object.values(written).join('')).not.toContain(value)
    }
    expect(written[mountName(made)]).toContain('What=/run/edge-admin/storage\n')
    expect(written['edge-admin-storage.service']).toContain(`"${made.scripts}/boot.sh" storage-attach\n`)
  })

  test('takes its units away for local storage, and leaves those of others', () => {
    const made = sandbox(shell)
    made.run('storage', { inputs: options(ISCSI) })
    made.write('net/etc/systemd/system/other.mount', '[Mount]\n')
    expect(made.run('storage', { inputs: options(LOCAL) }).status.status).toBe('completed')
    expect(Object.keys(units(made))).toEqual(['other.mount'])
    expect(wanted(made)).toEqual([])
  })

  test('drops the service when NFS follows iSCSI', () => {
    const made = sandbox(shell)
    made.run('storage', { inputs: options(ISCSI) })
    made.run('storage', { inputs: options(NFS) })
    expect(Object.keys(units(made))).toEqual([mountName(made)])
    expect(wanted(made)).toEqual([mountName(made)])
  })

  test('does not replace a mount unit that somebody else wrote', () => {
    const made = sandbox(shell)
    made.write(`net/etc/systemd/system/${mountName(made)}`, '[Mount]\nWhat=/dev/sda1\n')
    const ended = made.run('storage', { inputs: options(NFS) })
    expect(ended.status.status).toBe('failed')
    expect(units(made)).toEqual({ [mountName(made)]: '[Mount]\nWhat=/dev/sda1\n' })
    expect(files(made)).toEqual([undefined, undefined])
  })

  test.each([
    ['a second option', { ...NFS, mount_options: 'sync exec' }],
    ['a line of its own in the unit', { ...NFS, share: '/a\\' }],
    ['a server that is an option', { ...NFS, ip: '-o' }],
    ['a device outside its folder', { ...AOE, device: '..' }],
    ['a target outside its folder', { ...ISCSI, target: '../../etc' }],
    ['a port that is none', { ...NBD, port: '99999' }],
    ['an export that is an option', { ...NBD, export_name: '-c' }],
  ])('does not let %s through to what acts at boot', (_, members) => {
    const made = sandbox(shell)
    const ended = made.run('storage', { inputs: options(members) })
    expect(ended.status.status).toBe('failed')
    expect([files(made), units(made)]).toEqual([[undefined, undefined], {}])
  })

  test('doubles a percent sign, which a unit file would expand', () => {
    const made = sandbox(shell)
    expect(made.run('storage', { inputs: options({ ...NFS, share: '/a%H' }) }).status.status).toBe('completed')
    expect(units(made)[mountName(made)]).toContain('\nWhat=192.168.1.100:/a%%H\n')
  })

  test('fails in so many words where nothing would act at boot', () => {
    const made = sandbox(shell, false)
    const ended = made.run('storage', { inputs: options(NFS) })
    expect(ended.status.status).toBe('failed')
    expect(ended.log).toContain('nothing on this machine would mount remote storage at boot')
    expect(files(made)).toEqual([undefined, undefined])
    expect(made.run('storage', { inputs: options(LOCAL) }).status.status).toBe('completed')
  })

  test('relies on our init script where it is switched on', () => {
    const made = sandbox(shell, false)
    made.program(join(made.net, 'etc/rc2.d/S90edge-admin'), ':')
    const ended = made.run('storage', { inputs: options(NFS) })
    expect(ended.status.status, ended.log).toBe('completed')
  })

  test.runIf(hasSystemd)('writes units that systemd can read', () => {
    const made = sandbox(shell)
    for (const members of [NFS, ISCSI]) {
      made.run('storage', { inputs: options(members) })
      const folder = join(made.net, 'etc/systemd/system')
      const names = Object.keys(units(made)).map((name) => join(folder, name))
      const verified = spawnSync('systemd-analyze', ['verify', '--man=no', ...names], { encoding: 'utf8' })
      expect(`${verified.stdout}${verified.stderr}`).not.toMatch(/\.mount|edge-admin-storage/)
      expect(verified.status, verified.stderr).toBe(0)
    }
  })

  test('names units as systemd does', () => {
    const made = sandbox(shell)
    const paths = ['/data', '/srv/my-data', '/a b/c%d"e\\f', '/.x/.y', '//dätä//x/']
    const source = `. ${made.scripts}/storage-units.sh; for path; do unit_name_of_path "$path"; echo; done`
    const ours = spawnSync(shell.split(' ')[0]!, [...shell.split(' ').slice(1), '-c', source, 'x', ...paths], {
      encoding: 'utf8',
      env: { ...made.environment(), LC_ALL: 'C', PATH: `${made.fake}:${process.env['PATH']}` },
    })
    expect(ours.stdout).toBe(
      'data\nsrv-my\\x2ddata\na\\x20b-c\\x25d\\x22e\\x5cf\n\\x2ex-.y\nd\\xc3\\xa4t\\xc3\\xa4-x\n',
    )
  })

  const boot = (made: Sandbox, what: string, extra: Record<string, string> = {}) =>
    spawnSync(shell.split(' ')[0]!, [...shell.split(' ').slice(1), join(made.scripts, 'boot.sh'), what], {
      encoding: 'utf8',
      env: made.environment({ WAIT_SECONDS: '0', ...extra }),
    })

  test('logs in to iSCSI with the password in a private file, never in an argument', () => {
    const made = sandbox(shell)
    made.write('sysconf/storage.conf', options(ISCSI)['storage.conf'])
    const record = `net/etc/iscsi/nodes/${ISCSI.target}/${ISCSI.ip},3260,1/default`
    made.write(record, '# BEGIN RECORD 2.1\nnode.session.auth.authmethod = None\n# END RECORD\n')
    made.write(`net/dev/disk/by-path/ip-${ISCSI.ip}:3260-iscsi-${ISCSI.target}-lun-0`, '')
    made.program(join(made.fake, 'iscsiadm'), 'echo "$*" >>"$EDGE_ROOT/argv"')
    const ended = boot(made, 'storage-attach')
    expect(ended.status, ended.stderr).toBe(0)
    expect(made.read(record)).toBe(`# BEGIN RECORD 2.1
node.session.auth.authmethod = CHAP
node.session.auth.username = user
node.session.auth.password = ${ISCSI.password}
# END RECORD
`)
    expect(statSync(join(made.folder, record)).mode & 0o777).toBe(0o600)
    const portal = `-m node -T ${ISCSI.target} -p ${ISCSI.ip}:3260`
    expect(made.read('root/argv')).toBe(`${portal} -o new\n${portal} --login\n`)
    expect(readlinkSync(join(made.net, 'run/edge-admin/storage'))).toContain(ISCSI.target)
    expect(boot(made, 'storage-attach').status).toBe(0)
    expect(made.read(record)!.match(/password/g)).toHaveLength(1)
  })

  test('detaches what is attached, whatever the options say by now', () => {
    const made = sandbox(shell)
    for (const program of ['iscsiadm', 'nbd-client'])
      made.program(join(made.fake, program), `echo "${program} $*" >>"$EDGE_ROOT/argv"`)
    const lines = () => made.read('root/argv')?.trim().split('\n') ?? []
    expect(boot(made, 'storage-detach').status).toBe(0)
    expect(lines()).toEqual([])

    made.write('sysconf/storage.conf', options(ISCSI)['storage.conf'])
    made.write(`net/dev/disk/by-path/ip-${ISCSI.ip}:3260-iscsi-${ISCSI.target}-lun-0`, '')
    expect(boot(made, 'storage-attach').status).toBe(0)
    made.write('sysconf/storage.conf', options(LOCAL)['storage.conf'])
    expect(boot(made, 'storage-detach').status).toBe(0)
    expect(lines().at(-1)).toBe(`iscsiadm -m node -T ${ISCSI.target} -p ${ISCSI.ip}:3260 --logout`)

    made.write('sysconf/storage.conf', options(NBD)['storage.conf'])
    made.write('net/dev/nbd0', '')
    expect(boot(made, 'storage-attach').status).toBe(0)
    made.write('sysconf/storage.conf', options(ISCSI)['storage.conf'])
    expect(boot(made, 'storage-detach').status).toBe(0)
    expect(lines().at(-1)).toBe('nbd-client -d /dev/nbd0')
    const before = lines().length
    expect(boot(made, 'storage-detach').status).toBe(0)
    expect(lines()).toHaveLength(before)
  })

  test('attaches NBD and AoE devices by their names', () => {
    const made = sandbox(shell)
    for (const program of ['nbd-client', 'aoe-discover']) {
      made.program(join(made.fake, program), `echo "${program} $*" >>"$EDGE_ROOT/argv"`)
    }
    made.write('sysconf/storage.conf', options(NBD)['storage.conf'])
    made.write('net/dev/nbd0', '')
    expect(boot(made, 'storage-attach').status).toBe(0)
    expect(made.read('root/argv')).toContain('nbd-client -N some/export fd00::1 1043 /dev/nbd0\n')
    expect(readlinkSync(join(made.net, 'run/edge-admin/storage'))).toBe('/dev/nbd0')
    made.write('sysconf/storage.conf', options(AOE)['storage.conf'])
    const missing = boot(made, 'storage-attach')
    expect([missing.status, missing.stderr]).toEqual([1, expect.stringContaining('the device did not appear')])
    made.write('net/dev/etherd/e0.0', '')
    expect(boot(made, 'storage-attach').status).toBe(0)
    expect(readlinkSync(join(made.net, 'run/edge-admin/storage'))).toBe('/dev/etherd/e0.0')
  })

  test.both('mounts from our init script where there is no systemd', ({ skip }) => {
    if (shell !== 'dash') skip('busybox would take its own mount instead of the fake')
    const made = sandbox(shell, false)
    made.program(join(made.fake, 'mount'), 'echo "$*" >>"$EDGE_ROOT/argv"')
    made.write('sysconf/storage.conf', options(NFS)['storage.conf'])
    expect(boot(made, 'storage').status).toBe(0)
    expect(made.read('root/argv')).toBe(`-t nfs -o noacl,sync 192.168.1.100:/export/a ${made.data}\n`)
    made.write('net/run/systemd/system/.keep', '')
    made.hook('storage', ':')
    expect(boot(made, 'storage').status).toBe(0)
    expect(made.read('root/argv')!.split('\n')).toHaveLength(2)
  })

  const table: Faults = {
    kind: 'storage',
    checkpoints: ['storage-started', 'storage-placed', 'storage-applied', ...SWAP_STEPS],
    inputs: options(NFS),
    make: () => {
      const made = new Sandbox(shell)
      made.write('net/run/systemd/system/.keep', '')
      const first = made.run('storage', { inputs: options(ISCSI) })
      if (first.status.status !== 'completed') throw new Error(first.log)
      return made
    },
    look: (made) => [files(made), Object.entries(units(made)).map(([name, text]) => [name, text.length]), wanted(made)],
  }
  test.both.each(faultsIn(shell, table.checkpoints))('survives %s=%s', (name, fault) => {
    expect(faultRow(table, `${name}=${fault}`)).toEqual([])
  })
})
