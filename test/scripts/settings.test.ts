// settings.sh: files in place together, the network applied or taken back. Everything that reaches the real network
// runs in a network namespace of its own, or against fakes below the sandbox.
import { spawnSync } from 'node:child_process'
import { existsSync, readlinkSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect } from 'vitest'
import { faultsIn, inTurn } from './pairwise.ts'
import { type Faults, faultRow, isRoot, Sandbox, SHELLS, SWAP_STEPS } from './sandbox.ts'

const open: Sandbox[] = []
const sandbox = (shell: string) => {
  const made = new Sandbox(shell)
  open.push(made)
  return made
}
afterEach(() => {
  for (const made of open.splice(0)) made.remove()
})

const STATIC = `mode=static
interface=ea0
ip=10.9.8.5
subnet=255.255.255.0
router=10.9.8.1
dns="10.9.8.2 10.9.8.3"
hostname="new.host"
ntpserver="ntp.example.org"
`
const settings = (conf = STATIC, name = 'new') => ({
  'app.json': `{"name":"${name}"}\n`,
  'network.json': `{"mode":"static","hostname":"${name}"}\n`,
  'network.conf': conf,
})
const OLD = 'mode=dhcp\ninterface=ea0\nhostname="old.host"\nntpserver=""\n'
const files = (made: Sandbox) =>
  ['root/etc/app.json', 'root/etc/network.json', 'sysconf/network.conf'].map((f) => made.read(f))
const log = (made: Sandbox) => made.read('root/log/update_settings.log')?.replace(/\[\d+\]/g, '[N]')
const old = (made: Sandbox) => {
  for (const [name, text] of Object.entries(settings(OLD, 'old'))) {
    made.write(name.endsWith('conf') ? `sysconf/${name}` : `root/etc/${name}`, text)
  }
}

describe.each(SHELLS)('settings.sh under %s', (shell) => {
  const test = inTurn(shell)
  test('puts the three files in place and calls the vendor', () => {
    const made = sandbox(shell)
    made.hook('network', 'echo "$1" >>"$EDGE_ROOT/hook"')
    const ended = made.run('settings', { args: ['static'], inputs: settings() })
    expect(ended.status.status, ended.log).toBe('completed')
    expect(files(made)).toEqual(Object.values(settings()))
    expect(made.read('root/hook')).toBe('static\n')
    expect(log(made)).toBe('[N][SYSTEM] Updating settings. Please wait..\n[N][SYSTEM] Updating settings successful\n')
    const modes = spawnSync('stat', ['-c', '%a', join(made.sysconf, 'network.conf'), join(made.root, 'etc/app.json')])
    expect(modes.stdout.toString()).toBe('640\n640\n')
    expect(existsSync(join(ended.task, 'swap'))).toBe(false)
  })

  test.each([
    ['a missing file', { ...settings(), 'app.json': '' }, 'static'],
    ['a type that is none', settings(), 'bridge'],
    ['a type that the file does not say', settings(), 'dhcp'],
    ['a command in network.conf', settings(`${STATIC}hostname="$(touch /tmp/x)"\n`), 'static'],
    ['a second command on a line', settings(`${STATIC}hostname=a;id\n`), 'static'],
    ['a backtick in network.conf', settings(`${STATIC}dns=\`id\`\n`), 'static'],
    ['a command behind what is no comment to a shell', settings(`\ufeff# a; touch /tmp/x\n${STATIC}`), 'static'],
    ['an open quote', settings(`${STATIC}hostname="a\n`), 'static'],
    ['a variable that decides more than the network', settings(`${STATIC}PATH=/tmp\n`), 'static'],
  ])('refuses %s and changes nothing', (_, inputs, type) => {
    const made = sandbox(shell)
    made.hook('network', 'touch "$EDGE_ROOT/hook"')
    old(made)
    const before = files(made)
    const ended = made.run('settings', { args: [type], inputs })
    expect(ended.status).toMatchObject({ status: 'failed', error: { code: 'E1000' } })
    expect(files(made)).toEqual(before)
    expect(made.read('root/hook')).toBeUndefined()
    expect(log(made)).toContain('] Invalid or missing settings file\n')
  })

  test('reads a network.conf that was edited on Windows', () => {
    const made = sandbox(shell)
    made.write('network.conf', `\ufeff${STATIC.replaceAll('\n', '\r\n')}`)
    const body = `. ${made.scripts}/lib.sh; . ${made.scripts}/conf.sh; . ${made.scripts}/network-apply.sh
      network_read ${made.folder}/network.conf && printf '%s %s/%s %s' "$NET_MODE" "$NET_IP" "$NET_PREFIX" "$NET_HOSTNAME"`
    const [program = 'sh', ...args] = shell.split(' ')
    const read = () => spawnSync(program, [...args, '-c', body], { encoding: 'utf8', env: made.environment() })
    expect(read().stdout).toBe('static 10.9.8.5/24 new.host')
    made.write('network.conf', Buffer.from(`\ufeff${STATIC}`, 'utf16le'))
    expect([read().stdout, read().stderr]).toEqual(['', 'saved as UTF-16, expected UTF-8: network.conf\n'])
  })

  test('brings back the old files, and applies them, when the vendor cannot apply the new ones', () => {
    const made = sandbox(shell)
    old(made)
    const before = files(made)
    made.hook('network', 'echo "$1 $(cat "$EDGE_ROOT/etc/app.json")" >>"$EDGE_ROOT/hook"; [ "$1" = dhcp ]')
    const ended = made.run('settings', { args: ['static'], inputs: settings() })
    expect(ended.status.status).toBe('failed')
    expect(files(made)).toEqual(before)
    expect(made.read('root/hook')).toBe('static {"name":"new"}\ndhcp {"name":"old"}\n')
    expect(log(made)).toContain('] Updating settings failed\n')
  })

  test('writes a unit for systemd-networkd where that manages the network', ({ skip }) => {
    if (!isRoot) skip('only root can have a host name of its own')
    const made = sandbox(shell)
    made.write('net/run/systemd/system/.keep', '')
    made.program(join(made.fake, 'networkctl'), 'echo "$*" >>"$EDGE_ROOT/networkctl"')
    made.program(join(made.fake, 'systemctl'), 'echo "$*" >>"$EDGE_ROOT/systemctl"')
    const ended = made.run('settings', { args: ['static'], inputs: settings() })
    expect(ended.status.status, ended.log).toBe('completed')
    expect(made.read('net/etc/systemd/network/10-edge-admin.network')).toBe(`# Written by edge-admin.
[Match]
Name=ea0

[Network]
DHCP=no
Address=10.9.8.5/24
Gateway=10.9.8.1
DNS=10.9.8.2
DNS=10.9.8.3
`)
    expect(made.read('net/etc/systemd/timesyncd.conf.d/10-edge-admin.conf')).toContain('\nNTP=ntp.example.org\n')
    expect(made.read('net/etc/hostname')).toBe('new.host\n')
    expect(made.read('root/networkctl')).toBe('reload\n')
    made.run('settings', { args: ['dhcp'], inputs: settings(OLD) })
    expect(made.read('net/etc/systemd/network/10-edge-admin.network')).toContain('DHCP=yes\n')
    expect(made.read('net/etc/systemd/timesyncd.conf.d/10-edge-admin.conf')).toBeUndefined()
    const own = `${OLD}dns="10.9.8.2 10.9.8.3"\n`
    expect(made.run('settings', { args: ['dhcp'], inputs: settings(own) }).status.status).toBe('completed')
    const unit = made.read('net/etc/systemd/network/10-edge-admin.network')
    expect(unit).toContain('DHCP=yes\nDNS=10.9.8.2\nDNS=10.9.8.3\n')
    expect(unit).toContain('[DHCPv4]\nUseDNS=no\n')
    const alone = STATIC.replace('router=10.9.8.1\n', '')
    expect(made.run('settings', { args: ['static'], inputs: settings(alone) }).status.status).toBe('completed')
    expect(made.read('net/etc/systemd/network/10-edge-admin.network')).not.toMatch(/Gateway|UseDNS/)
    const lonely = STATIC.replace('255.255.255.0', '255.255.255.255')
    expect(made.run('settings', { args: ['static'], inputs: settings(lonely) }).status.status).toBe('completed')
    expect(made.read('net/etc/systemd/network/10-edge-admin.network')).toContain(
      '[Route]\nGateway=10.9.8.1\nGatewayOnLink=yes\n',
    )
  })

  describe('the time server', () => {
    const clock = (make: (made: Sandbox) => void, conf = STATIC) => {
      const made = sandbox(shell)
      made.write('net/run/systemd/system/.keep', '')
      made.program(join(made.fake, 'networkctl'), ':')
      made.program(join(made.fake, 'systemctl'), 'echo "$*" >>"$EDGE_ROOT/systemctl"; [ "$1" != cat ]')
      make(made)
      const apply = (text: string) => {
        const ended = made.run('settings', { args: [/mode=(.*)/.exec(text)?.[1] ?? ''], inputs: settings(text) })
        expect(ended.status.status, ended.log).toBe('completed')
        return ended
      }
      return { made, apply, ended: apply(conf) }
    }
    const SERVER = '# Written by edge-admin.\nserver ntp.example.org iburst\n'

    test.for<[line: string, main: string, own: string]>([
      ['confdir /etc/chrony/conf.d', 'etc/chrony/chrony.conf', 'etc/chrony/conf.d/edge-admin.conf'],
      ['sourcedir /etc/chrony/sources.d', 'etc/chrony/chrony.conf', 'etc/chrony/sources.d/edge-admin.sources'],
      ['sourcedir /run/chrony-dhcp', 'etc/chrony.conf', 'etc/chrony.d/edge-admin.conf'],
      ['', 'etc/chrony/chrony.conf', 'etc/chrony.d/edge-admin.conf'],
      ['confdir /etc/chrony.d', 'etc/chrony.conf', 'etc/chrony.d/edge-admin.conf'],
    ])('goes where chrony reads it: %j', ([line, main, own], { skip }) => {
      if (!isRoot) skip('only root can have a host name of its own')
      // Its last line may have no end.
      const before = `pool pool.example.org iburst\n${line}`
      const { made, apply } = clock((box) => {
        box.program(join(box.fake, 'chronyd'), ':')
        box.write(`net/${main}`, before)
      })
      apply(STATIC)
      expect(made.read(`net/${own}`)).toBe(SERVER)
      expect(statSync(join(made.folder, 'net', dirname(own))).mode & 0o777).toBe(0o755)
      const added =
        own.includes('chrony.d') && !line.startsWith('confdir') ? `${line && '\n'}include /etc/chrony.d/*.conf\n` : ''
      expect(made.read(`net/${main}`)).toBe(before + added)
      expect(made.read('root/systemctl')).toContain('try-restart chrony.service\n')
      expect(made.read('net/etc/systemd/timesyncd.conf.d/10-edge-admin.conf')).toBeUndefined()
      apply(OLD)
      expect(made.read(`net/${own}`)).toBeUndefined()
    })

    test('goes to timesyncd where chrony has gone and left its file', ({ skip }) => {
      if (!isRoot) skip('only root can have a host name of its own')
      const { made } = clock((box) => {
        box.program(join(box.fake, 'systemctl'), ':')
        box.write('net/etc/chrony/chrony.conf', 'confdir /etc/chrony/conf.d\n')
      })
      expect(made.read('net/etc/chrony/conf.d/edge-admin.conf')).toBeUndefined()
      expect(made.read('net/etc/systemd/timesyncd.conf.d/10-edge-admin.conf')).toContain('NTP=ntp.example.org\n')
      // Both programs read their files as accounts of their own.
      const modes = ['timesyncd.conf.d', 'network'].map(
        (name) => statSync(join(made.folder, 'net/etc/systemd', name)).mode & 0o777,
      )
      expect(modes).toEqual([0o755, 0o755])
    })

    test('takes the place of those that ntpd had, and leaves the rest of its file', ({ skip }) => {
      if (!isRoot) skip('only root can have a host name of its own')
      const { made } = clock((box) => {
        box.program(join(box.fake, 'ntpd'), ':')
        box.write('net/etc/ntpsec/ntp.conf', 'driftfile /var/lib/drift\npool a.example.org\n server b.example.org\n')
      })
      expect(made.read('net/etc/ntpsec/ntp.conf')).toBe('driftfile /var/lib/drift\nserver ntp.example.org\n')
    })

    test.both('is said to have no effect where nothing keeps the clock by it', ({ skip }) => {
      if (!isRoot || shell !== 'dash') skip('busybox has an ntpd built in')
      const { made, ended } = clock(() => {})
      const words = 'ntpserver has no effect: neither chrony nor systemd-timesyncd nor ntpd is here\n'
      expect(ended.log).toContain(words)
      expect(log(made)).toContain(`[N][SYSTEM] ${words}`)
      const { made: without } = clock(() => {}, OLD)
      expect(log(without)).not.toContain('no effect')
    })
  })

  test('writes resolv.conf beside networkd, but where systemd-resolved has it, and brings the old one back', ({
    skip,
  }) => {
    if (!isRoot) skip('only root can have a host name of its own')
    const made = sandbox(shell)
    made.write('net/run/systemd/system/.keep', '')
    made.write('net/etc/resolv.conf', 'nameserver 10.1.1.1\n')
    made.program(join(made.fake, 'systemctl'), ':')
    made.program(join(made.fake, 'networkctl'), 'exit 1')
    expect(made.run('settings', { args: ['static'], inputs: settings() }).status.status).toBe('failed')
    expect(made.read('net/etc/resolv.conf')).toBe('nameserver 10.1.1.1\n')
    made.program(join(made.fake, 'networkctl'), ':')
    made.run('settings', { args: ['static'], inputs: settings() })
    expect(made.read('net/etc/resolv.conf')).toBe('nameserver 10.9.8.2\nnameserver 10.9.8.3\n')
    const other = settings(STATIC.replace('10.9.8.2 10.9.8.3', '10.9.8.4'))
    made.run('settings', { args: ['static'], inputs: other, fault: 'settings-applied=error' })
    expect(made.read('net/etc/resolv.conf')).toBe('nameserver 10.9.8.2\nnameserver 10.9.8.3\n')
    rmSync(join(made.net, 'etc/resolv.conf'))
    symlinkSync('../run/systemd/resolve/stub-resolv.conf', join(made.net, 'etc/resolv.conf'))
    made.run('settings', { args: ['static'], inputs: other })
    expect(readlinkSync(join(made.net, 'etc/resolv.conf'))).toBe('../run/systemd/resolve/stub-resolv.conf')
  })

  test('takes its unit away again when networkd refuses it and there were no settings before', ({ skip }) => {
    if (!isRoot) skip('only root can have a host name of its own')
    const made = sandbox(shell)
    made.write('net/run/systemd/system/.keep', '')
    made.program(join(made.fake, 'networkctl'), 'exit 1')
    made.program(join(made.fake, 'systemctl'), ':')
    const ended = made.run('settings', { args: ['static'], inputs: settings() })
    expect(ended.status.status).toBe('failed')
    expect(files(made)).toEqual([undefined, undefined, undefined])
    expect(made.read('net/etc/systemd/network/10-edge-admin.network')).toBeUndefined()
  })

  test.each([
    ['a prefix beyond 32', STATIC.replace('255.255.255.0', '255.0.255.0')],
    ['an interface that is an option', STATIC.replace('=ea0', '=-ea0')],
    ['an interface with a name too long for the kernel', STATIC.replace('ea0', 'enx0011223344556')],
    ['a router that is no address', STATIC.replace('10.9.8.1', 'x.example')],
    ['a host name that is an option', STATIC.replace('"new.host"', '"-F/etc/shadow"')],
  ])('does not apply %s', (_, conf) => {
    const made = sandbox(shell)
    const ended = made.run('settings', { args: ['static'], inputs: settings(conf) })
    expect(ended.status).toMatchObject({ status: 'failed', message: 'The network could not be applied' })
    expect(files(made)).toEqual([undefined, undefined, undefined])
  })

  /** Runs `body` in a fresh network with the interface ea0 (10.9.8.77/24, router 10.9.8.254) and a host name of its own. */
  const inNetwork = (made: Sandbox, body: string) => {
    const prepare = `
      settings() { setsid --wait ${shell} "$SCRIPTS/settings.sh" "$@"; }
      hostname before.host
      ip link add ea0 type veth peer name ea1 && ip link set ea0 up && ip link set ea1 up || exit 9
      ip addr add 10.9.8.77/24 dev ea0 && ip route add default via 10.9.8.254 dev ea0 || exit 9
      look() { ip -4 -o addr show dev ea0 | awk '{print $4}'; ip route show default; hostname; }`
    return spawnSync('unshare', ['--uts', '--net', 'sh', '-c', `${prepare}\n${body}`], {
      cwd: '/',
      encoding: 'utf8',
      env: made.environment({ SCRIPTS: made.scripts }),
    })
  }

  test('sets address, router, resolver and host name with ip', ({ skip }) => {
    if (!isRoot) skip('only root can make a network namespace')
    const made = sandbox(shell)
    const task = made.prepare(settings())
    const ended = inNetwork(made, `settings run ${task} static >&2; look`)
    expect(ended.stdout, ended.stderr).toBe('10.9.8.5/24\ndefault via 10.9.8.1 dev ea0 \nnew.host\n')
    expect(made.read('net/etc/resolv.conf')).toBe('nameserver 10.9.8.2\nnameserver 10.9.8.3\n')
    expect(made.read('net/etc/hostname')).toBe('new.host\n')
    expect(files(made)).toEqual(Object.values(settings()))
  })

  test('sets an IPv6 address however it is spelled, twice', ({ skip }) => {
    if (!isRoot) skip('only root can make a network namespace')
    const made = sandbox(shell)
    const conf = `mode=static
interface=ea0
ip=2001:0db8:0::5
subnet_ipv6=/64
router=2001:db8::1
dns=""
hostname="new.host"
ntpserver=""
`
    const tasks = [made.prepare(settings(conf)), made.prepare(settings(conf))]
    const runs = tasks.map((task) => `settings run ${task} static >&2 || echo failed`).join('\n')
    const ended = inNetwork(
      made,
      `${runs}\nip -6 -o addr show dev ea0 scope global | awk '{print $4}'; ip -4 -o addr show dev ea0; ip -6 route show default`,
    )
    expect(ended.stdout, ended.stderr).toMatch(/^2001:db8::5\/64\ndefault via 2001:db8::1 dev ea0 /)
  })

  test('brings back the network as it was when the new router cannot be reached', ({ skip }) => {
    if (!isRoot) skip('only root can make a network namespace')
    const made = sandbox(shell)
    made.write('net/etc/resolv.conf', 'nameserver 10.1.1.1\n')
    const task = made.prepare(settings(STATIC.replace('10.9.8.1\n', '172.31.0.1\n')))
    const ended = inNetwork(made, `settings run ${task} static >&2; echo $?; look`)
    expect(ended.stdout, ended.stderr).toBe('1\n10.9.8.77/24\ndefault via 10.9.8.254 dev ea0 \nbefore.host\n')
    expect(made.read('net/etc/resolv.conf')).toBe('nameserver 10.1.1.1\n')
    expect(files(made)).toEqual([undefined, undefined, undefined])
  })

  test('applies the older settings again after a kill between applying and the end', ({ skip }) => {
    if (!isRoot) skip('only root can make a network namespace')
    const made = sandbox(shell)
    const first = made.prepare(settings(STATIC.replace('10.9.8.5', '10.9.8.50'), 'old'))
    const second = made.prepare(settings())
    const ended = inNetwork(
      made,
      `settings run ${first} static >&2
      EDGE_FAULT=settings-applied=kill settings run ${second} static >&2
      ip -4 -o addr show dev ea0 | awk '{print $4}'
      settings recover ${second} static >&2; look`,
    )
    expect(ended.stdout, ended.stderr).toBe('10.9.8.5/24\n10.9.8.50/24\ndefault via 10.9.8.1 dev ea0 \nnew.host\n')
    expect(made.read('root/etc/app.json')).toBe('{"name":"old"}\n')
  })

  test.both('says so when there is no DHCP client', ({ skip }) => {
    if (!isRoot || shell !== 'dash') skip('busybox has a client built in')
    const made = sandbox(shell)
    const task = made.prepare(settings(OLD))
    const ended = inNetwork(made, `settings run ${task} dhcp; look`)
    expect(ended.stdout).toContain('10.9.8.77/24\n')
    expect(files(made)).toEqual([undefined, undefined, undefined])
  })

  test.both('asks a DHCP client for an address, and stops it when the address is fixed', ({ skip }) => {
    if (!isRoot || shell !== 'dash') skip('busybox has a client built in')
    const made = sandbox(shell)
    // The client's name is what its process is known by: a copy of sleep under the name of udhcpc.
    made.program(
      join(made.fake, 'udhcpc'),
      'echo "$*" >>"$EDGE_ROOT/dhcp"; cp "$(command -v sleep)" "$EDGE_ROOT/udhcpc"; "$EDGE_ROOT/udhcpc" 60 </dev/null >/dev/null 2>&1 &\nwhile [ $# -gt 1 ]; do [ "$1" != -p ] || echo "$!" >"$2"; shift; done; [ "$1" != -n ]'.replace(
        '\\n',
        '\n',
      ),
    )
    const tasks = [made.prepare(settings(OLD)), made.prepare(settings())]
    const pid = join(made.net, 'run/edge-admin-dhcp.ea0.pid')
    const ended = inNetwork(
      made,
      `settings run ${tasks[0]} dhcp >&2; read -r pid <${pid}; kill -0 "$pid" && echo alive
      settings run ${tasks[1]} static >&2; [ -e ${pid} ] || echo forgotten
      n=0; while kill -0 "$pid" 2>/dev/null && [ $n -lt 50 ]; do n=$((n + 1)); sleep 0.1; done
      kill -0 "$pid" 2>/dev/null || echo stopped`,
    )
    expect(ended.stdout, ended.stderr).toBe('alive\nforgotten\nstopped\n')
    expect(made.read('root/dhcp')).toBe(`-i ea0 -n -t 5 -p ${pid} -x hostname:old.host\n`)
  })

  const table: Faults = {
    kind: 'settings',
    args: ['static'],
    checkpoints: ['settings-started', 'settings-placed', 'settings-applied', ...SWAP_STEPS],
    inputs: settings(),
    make: () => {
      const made = new Sandbox(shell)
      made.hook('network', 'cp "$EDGE_SYSCONFDIR/network.conf" "$EDGE_ROOT/applied"')
      old(made)
      made.write('root/applied', OLD)
      return made
    },
    look: (made) => [...files(made), made.read('root/applied')],
  }
  test.both.each(faultsIn(shell, table.checkpoints))('survives %s=%s', (name, fault) => {
    expect(faultRow(table, `${name}=${fault}`)).toEqual([])
  })

  test('finishes what was decided when it dies after the decision', () => {
    const made = sandbox(shell)
    made.hook('network', ':')
    const ended = made.run('settings', { args: ['static'], inputs: settings(), fault: 'settings-applied=kill' })
    made.write(`state/tasks/${ended.task.split('/').at(-1)}/committed`, '')
    expect(made.recover('settings', ended.task, ['static']).status.status).toBe('completed')
    expect(files(made)).toEqual(Object.values(settings()))
  })
})
