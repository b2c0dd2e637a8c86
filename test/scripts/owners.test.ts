// The scripts and the owners of what they replace: an image of the original's shares etc/ and log/ with the group of its server. The trap: the
// group staff is whatever this machine calls so.
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { groupNamed } from '../../src/store/owner.ts'
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
