// The scripts and the owners of what they replace: an image of the original's shares etc/ and log/ with the group of
// its server. The group staff is whatever this machine calls so.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect } from 'vitest'
import { groupNamed } from '../../src/store/owner.ts'
import { inTurn } from './pairwise.ts'
import { FIXTURES, isRoot, Sandbox, SHELLS } from './sandbox.ts'

const ADMIN = 64997
const open: Sandbox[] = []
afterEach(() => {
  for (const made of open.splice(0)) made.remove()
})

function original(shell: string): Sandbox {
  const box = new Sandbox(shell)
  open.push(box)
  for (const [name, mode] of [
    ['root/etc', 0o1775],
    ['root/log', 0o775],
    ['root/home/sftp/uploads', 0o770],
  ] as const) {
    chownSync(join(box.folder, name), 0, ADMIN)
    chmodSync(join(box.folder, name), mode)
  }
  return box
}
const look = (box: Sandbox, name: string) => {
  const { uid, gid, mode } = lstatSync(join(box.folder, name))
  return `${(mode & 0o777).toString(8)} ${uid}:${gid}`
}
function lay(box: Sandbox, name: string, mode: number, uid: number, gid: number): void {
  box.write(name, 'old\n')
  chownSync(join(box.folder, name), uid, gid)
  chmodSync(join(box.folder, name), mode)
}
const fixture = (name: string) => readFileSync(join(FIXTURES, name), 'utf8')
const PAIR = { 'appliance.pem': fixture('rsa.pem'), 'appliance.key': fixture('rsa.key') }
const PKI = 'sysconf/pki/tls'
const FILES = [`${PKI}/private/enterprise.key`, `${PKI}/certs/enterprise.crt`, `${PKI}/enterprise.pem`]

describe.skipIf(!isRoot).each(SHELLS)('owners under %s', (shell) => {
  const test = inTurn(shell)
  test('a first certificate is for staff, the server of the original reads key and certificate in one, and finds them', () => {
    const box = original(shell)
    const { status, log } = box.run('certs', { inputs: PAIR })
    expect(status.status, log).toBe('completed')
    const staff = groupNamed('staff') ?? ADMIN
    expect(FILES.map((name) => look(box, name))).toEqual([`640 0:${staff}`, `640 0:${staff}`, `640 0:${ADMIN}`])
    expect(readlinkSync(join(box.net, 'enterprise.pem'))).toBe(join(box.folder, FILES[2]!))
    expect(['private', 'certs', '.'].map((name) => look(box, join(PKI, name)).slice(0, 3))).toEqual([
      '755',
      '755',
      '755',
    ])
    // What clients and the original's server read.
    expect(look(box, 'root/etc/status_certs.txt')).toBe(`644 0:${ADMIN}`)
    expect(look(box, 'root/log/update_certs.log')).toBe(`640 0:${ADMIN}`)
  })

  test('a later certificate keeps the owners and modes of the one before, and the link that is there', () => {
    const box = original(shell)
    for (const [i, name] of FILES.entries()) lay(box, name, [0o604, 0o644, 0o660][i]!, 64001 + i, 64011 + i)
    lay(box, 'root/etc/status_certs.txt', 0o664, ADMIN, ADMIN)
    symlinkSync('elsewhere', join(box.net, 'enterprise.pem'))
    const { status, log } = box.run('certs', { inputs: PAIR })
    expect(status.status, log).toBe('completed')
    // A key that others could read is shut to them.
    expect(FILES.map((name) => look(box, name))).toEqual(['600 64001:64011', '644 64002:64012', '660 64003:64013'])
    expect(look(box, 'root/etc/status_certs.txt')).toBe(`664 ${ADMIN}:${ADMIN}`)
    expect(readlinkSync(join(box.net, 'enterprise.pem'))).toBe('elsewhere')
  })

  test('a first certificate that could not be put in place leaves nothing, also when it dies', () => {
    for (const fault of ['certs-placed=error', 'certs-placed=kill']) {
      const box = original(shell)
      const { task } = box.run('certs', { inputs: PAIR, fault })
      if (fault.endsWith('kill')) box.recover('certs', task)
      expect([
        ...FILES.map((name) => existsSync(join(box.folder, name))),
        existsSync(join(box.net, 'enterprise.pem')),
      ]).toEqual([false, false, false, false])
    }
  })

  test('where root shares etc/ with nobody, whoever made the folders says who reads a certificate', () => {
    const box = original(shell)
    chownSync(join(box.root, 'etc'), 0, 0)
    for (const name of ['private', 'certs']) mkdirSync(join(box.folder, PKI, name), { recursive: true })
    chownSync(join(box.folder, PKI, 'private'), 0, 64321)
    expect(box.run('certs', { inputs: PAIR }).status.status).toBe('completed')
    expect(FILES.map((name) => look(box, name))).toEqual(['640 0:64321', '640 0:0', '640 0:0'])
    expect(existsSync(join(box.net, 'enterprise.pem'))).toBe(false)
  })

  test('storage options keep theirs, and a password in them is shut to others', () => {
    const box = original(shell)
    box.hook('storage', 'exit 0')
    lay(box, 'root/etc/storage.json', 0o664, 0, ADMIN)
    lay(box, 'sysconf/storage.conf', 0o664, ADMIN, ADMIN)
    const inputs = { 'storage.json': '{"storage":{"type":"local"}}\n', 'storage.conf': "type='local'\n" }
    const { status, log } = box.run('storage', { inputs })
    expect(status.status, log).toBe('completed')
    expect([look(box, 'root/etc/storage.json'), look(box, 'sysconf/storage.conf')]).toEqual([
      `660 0:${ADMIN}`,
      `660 ${ADMIN}:${ADMIN}`,
    ])
  })

  test('first settings and options are for the group of the original, as its own scripts leave them', () => {
    const box = original(shell)
    box.hook('storage', 'exit 0')
    box.hook('network', 'exit 0')
    const options = { 'storage.json': '{"storage":{"type":"local"}}\n', 'storage.conf': "type='local'\n" }
    expect(box.run('storage', { inputs: options }).status.status).toBe('completed')
    const conf = 'mode=dhcp\ninterface=eth0\nhostname="box"\nntpserver=""\n'
    const inputs = { 'app.json': '{}\n', 'network.json': '{"mode":"dhcp"}\n', 'network.conf': conf }
    const { status, log } = box.run('settings', { inputs, args: ['dhcp'] })
    expect(status.status, log).toBe('completed')
    for (const name of ['sysconf/storage.conf', 'sysconf/network.conf', 'root/etc/network.json'])
      expect(look(box, name), name).toBe(`640 0:${ADMIN}`)
  })

  test('a log that was full goes on as the same owner’s, with the same mode', () => {
    const box = original(shell)
    box.hook('storage', 'exit 0')
    lay(box, 'root/log/update_storage.log', 0o664, ADMIN, ADMIN)
    const inputs = { 'storage.json': '{"storage":{"type":"local"}}\n', 'storage.conf': "type='local'\n" }
    box.run('storage', { inputs, env: { EDGE_LOG_SIZE: '4' } })
    expect(look(box, 'root/log/update_storage.log')).toBe(`664 ${ADMIN}:${ADMIN}`)
  })

  test('what lies in the uploads already decides nothing', () => {
    const box = original(shell)
    lay(box, 'root/home/sftp/uploads/logs.tar.gz', 0o666, 64998, 64998)
    box.write('root/etc/logs.txt', '')
    const { status, log } = box.run('logs')
    expect(status.status, log).toBe('completed')
    expect(look(box, 'root/home/sftp/uploads/logs.tar.gz')).toBe(`640 0:${ADMIN}`)
  })
})

// What install.sh does again at every upgrade, while the server may have been taken over and may be at work.
describe.skipIf(!isRoot).each(SHELLS)('owners.sh under %s', (shell) => {
  const test = inTurn(shell)
  const UID = idOf('-u')
  const GID = idOf('-g')
  function shared() {
    const box = new Sandbox(shell)
    open.push(box)
    lay(box, 'secret', 0o600, 0, 0)
    const again = (first = '/bin') => {
      const env = { ...box.environment(), PATH: `${first}:${process.env['PATH']}` }
      const argv = [...shell.split(' '), join(box.scripts, 'owners.sh'), 'nobody']
      const ended = spawnSync(argv[0]!, argv.slice(1), { cwd: '/', env, encoding: 'utf8' })
      return { status: ended.status, said: ended.stderr }
    }
    return { box, again, at: (name: string) => join(box.folder, name) }
  }
  /** A link of the server's user. */
  function link(target: string, path: string) {
    symlinkSync(target, path)
    lchownSync(path, UID, GID)
  }

  test('gives no folder away that a link in the place of one leads to', () => {
    for (const name of ['state/tasks', 'state/incoming']) {
      const { box, again, at } = shared()
      expect(again()).toEqual({ status: 0, said: '' })
      expect(look(box, name)).toBe(`750 ${UID}:${GID}`)
      mkdirSync(at('victim'), { mode: 0o755 })
      renameSync(at(name), at('state/t'))
      link(at('victim'), at(name))
      const { status, said } = again()
      expect([status, said]).toEqual([1, expect.stringContaining(at(name))])
      expect(look(box, 'victim')).toBe('755 0:0')
    }
  })

  test.both('nor when the link is laid between look and change', (context) => {
    if (shell.startsWith('busybox')) context.skip('busybox would take its own mkdir instead of the fake')
    const { box, again, at } = shared()
    mkdirSync(at('victim'), { mode: 0o755 })
    box.program(
      at('fake/mkdir'),
      `/bin/mkdir "$@"; case $2 in */tasks) rmdir "$2"; ln -s '${at('victim')}' "$2" ;; esac`,
    )
    expect(again(at('fake'))).toEqual({ status: 1, said: `not a folder in its place: ${at('state/tasks')}\n` })
    expect(look(box, 'victim')).toBe('755 0:0')
  })

  test('follows a link of root’s own to a folder', () => {
    const { box, again, at } = shared()
    mkdirSync(at('disk'))
    rmSync(at('root/home/sftp/uploads'), { recursive: true })
    symlinkSync(at('disk'), at('root/home/sftp/uploads'))
    expect(again()).toEqual({ status: 0, said: '' })
    expect(look(box, 'disk')).toBe(`770 0:${GID}`)
  })

  test('lets nobody read a file of root’s through the key and the certificate', () => {
    const { box, again, at } = shared()
    expect(again().status).toBe(0)
    link(at('secret'), at(`${PKI}/private/enterprise.key`))
    linkSync(at('secret'), at(`${PKI}/certs/enterprise.crt`))
    expect(again().status).toBe(0)
    expect(look(box, 'secret')).toBe('600 0:0')
    // Root's own, and where root's link leads.
    rmSync(at(`${PKI}/private/enterprise.key`))
    rmSync(at(`${PKI}/certs/enterprise.crt`))
    lay(box, `${PKI}/certs/enterprise.crt`, 0o600, 0, 0)
    symlinkSync(at('secret'), at(`${PKI}/private/enterprise.key`))
    expect(again().status).toBe(0)
    expect([look(box, 'secret'), look(box, `${PKI}/certs/enterprise.crt`)]).toEqual([`640 0:${GID}`, `640 0:${GID}`])
  })

  test('writes down the folders of before through no link', () => {
    const { box, again, at } = shared()
    expect(again().status).toBe(0)
    expect(box.read('state/owners-before')).toContain(`0 0 755 ${at('root/etc')}\n`)
    rmSync(at('state/owners-before'))
    link(at('secret'), at('state/owners-before.new'))
    expect(again().status).toBe(0)
    expect(box.read('secret')).toBe('old\n')
    expect(look(box, 'state/owners-before')).toBe(`600 0:${lstatSync(at('state/owners-before')).gid}`)
    expect(readdirSync(at('state/work'))).toEqual([])
  })

  test('hands over what root’s commands left for the audit log, and looks into no folder of the server’s', () => {
    const { box, again, at } = shared()
    expect(again().status).toBe(0)
    for (const name of ['root/etc/entries', 'state/entries']) {
      lay(box, `${name}/one.json`, 0o600, 0, 0)
      expect(again().status).toBe(0)
      expect([look(box, name).slice(4), look(box, `${name}/one.json`)]).toEqual([`${UID}:${GID}`, `600 ${UID}:${GID}`])
      linkSync(at('secret'), at(`${name}/two.json`))
      expect(again().status).toBe(0)
      expect(look(box, 'secret')).toBe('600 0:0')
      rmSync(at(`${name}/two.json`))
    }
  })

  test('takes a file of somebody else’s for root’s only when the folder is shared for the first time', () => {
    const { box, again, at } = shared()
    lay(box, 'root/etc/version.txt', 0o664, ADMIN, ADMIN)
    expect(again()).toEqual({ status: 0, said: '' })
    expect(look(box, 'root/etc/version.txt')).toBe(`644 0:${GID}`)
    lay(box, 'root/etc/updates.pub', 0o600, UID, GID)
    linkSync(at('secret'), at('root/etc/product.txt'))
    lay(box, 'root/etc/logs.txt', 0o620, 0, 0)
    const { status, said } = again()
    expect([status, said.trim().split('\n').sort()]).toEqual([
      0,
      ['product.txt', 'updates.pub'].map((name) => `not root's alone, left as it is: ${at(`root/etc/${name}`)}`),
    ])
    const now = ['updates.pub', 'product.txt', 'logs.txt'].map((name) => look(box, `root/etc/${name}`))
    expect(now).toEqual([`600 ${UID}:${GID}`, '600 0:0', `640 0:${GID}`])
  })
})

function idOf(option: string): number {
  return Number(spawnSync('id', [option, 'nobody'], { encoding: 'utf8' }).stdout)
}
