// wrapper.sh beside stand-ins of the original (test/fakes/original): how it calls, and what it puts right after a kill,
// since the original puts nothing right by itself. The original's locks and status files outlive it, and would refuse
// or mislead everybody from then on.
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect } from 'vitest'
import { layOriginal, type Original } from '../fakes/original/lay.ts'
import { inTurn } from './pairwise.ts'
import { Sandbox, SHELLS } from './sandbox.ts'

const open: Sandbox[] = []
afterEach(() => {
  for (const made of open.splice(0)) made.remove()
})
function sandbox(shell: string) {
  const made = new Sandbox(shell)
  open.push(made)
  const original = layOriginal(made)
  const env = { EDGE_WRAPPER: original.wrapper, EDGE_NETROOT: original.prefix }
  made.write('root/etc/api.token', 'old-token\n')
  made.write('data/etc/app.conf', 'greeting = hello\n')
  made.write('root/etc/backup.txt', 'etc\n')
  made.hook('network', 'echo "$*" >>"$EDGE_ROOT/log/network"')
  return { made, original, env }
}
const uploads = (made: Sandbox) => readdirSync(join(made.root, 'home/sftp/uploads'))
const token = (made: Sandbox) => made.read('root/etc/api.token')
const locks = ({ prefix }: Original) => readdirSync(join(prefix, 'tmp'))
const SETTINGS = { 'app.json': '{}\n', 'network.json': '{}\n', 'network.conf': 'mode=dhcp\n' }

describe.each(SHELLS)('wrapper.sh under %s', (shell) => {
  const test = inTurn(shell)
  test.each([
    ['settings', ['dhcp'], SETTINGS, 'settings 1 dhcp'],
    ['token', [], { 'api.token': 'new-token\n' }, 'token 0'],
    ['backup', ['START'], {}, 'backup 1 START'],
    ['backup', ['STOP'], {}, 'backup 1 STOP'],
    ['reboot', [], {}, 'reboot 0'],
  ])('calls as the original’s server does: %s %j', (kind, args, inputs, called) => {
    const { made, original, env } = sandbox(shell)
    const ended = made.run('wrapper', { args: [kind, ...args], inputs, env })
    expect([ended.status.status, original.calls()[0]], ended.log).toEqual(['completed', called])
    expect(uploads(made).filter((name) => name in inputs)).toEqual([])
  })

  test('asks for a restore by another verb, and for the debug bundle without the file of its logs', () => {
    const { made, original, env } = sandbox(shell)
    made.run('wrapper', { args: ['restore'], inputs: { 'backup-archive.tar': 'no archive' }, env })
    expect(original.calls()).toEqual(['backup 1 RESTORE'])
    expect([existsSync(join(made.state, 'locks/backup.lock')), uploads(made)]).toEqual([true, []])
  })

  test.each([
    ['settings', ['static'], { ...SETTINGS, 'network.conf': 'mode=static\nx=$(cp /bin/sh /tmp)\n' }],
    ['settings', ['static'], { ...SETTINGS, 'network.conf': 'mode=static\nLD_PRELOAD=/tmp/x\n' }],
    ['settings', ['static'], SETTINGS],
    ['settings', ['dhcp'], { 'network.conf': 'mode=dhcp\n' }],
    ['settings', [], SETTINGS],
    ['settings', ['dhcp'], { ...SETTINGS, 'network-config': 'x\n' }],
    ['token', [], { 'api.token': 'new-token\n', 'network-config': 'x\n' }],
    ['storage', [], { 'storage.json': '{}\n', 'storage.conf': 'type="$(id)"\n' }],
    ['storage', [], { 'storage.json': '{}\n', 'storage.conf': 'type=tape\n' }],
  ])('lets the original put nothing in place that a shell would run: %s %j %j', (kind, args, inputs) => {
    const { made, original, env } = sandbox(shell)
    const ended = made.run('wrapper', { args: [kind, ...args], inputs, env })
    expect(ended.status).toMatchObject({ status: 'failed', message: 'Invalid or missing settings file' })
    expect([original.calls(), uploads(made)]).toEqual([[], []])
    expect(made.read(`root/log/update_${kind}.log`)).toContain('Invalid or missing settings file')
  })

  test.each([
    ['wrapper-placed=kill', 'interrupted', 'old-token\n'],
    ['wrapper-returned=kill', 'completed', 'new-token\n'],
  ])('leaves the old token or the new one after %s', (fault, status, inForce) => {
    const { made, env } = sandbox(shell)
    const broken = made.run('wrapper', { args: ['token'], inputs: { 'api.token': 'new-token\n' }, env, fault })
    expect(token(made)).toBe(inForce)
    const after = made.recover('wrapper', broken.task, ['token'], env)
    expect([after.status.status, token(made), uploads(made)]).toEqual([status, inForce, []])
    const next = made.run('wrapper', { args: ['token'], inputs: { 'api.token': 'next-token\n' }, env })
    expect([next.status.status, token(made)]).toEqual(['completed', 'next-token\n'])
  })

  test('takes the original’s lock away after a kill, and no other one', () => {
    const { made, original, env } = sandbox(shell)
    const lock = join(original.prefix, 'tmp/update_settings.sh.task')
    const die = { ...env, EDGE_WRAPPER: join(made.root, 'bin/dies.sh') }
    made.program(die.EDGE_WRAPPER, `: >'${lock}'; kill -9 "$PPID"`)
    const broken = made.run('wrapper', { args: ['settings', 'dhcp'], inputs: SETTINGS, env: die })
    expect([broken.signal, existsSync(lock)]).toEqual(['SIGKILL', true])
    const after = made.recover('wrapper', broken.task, ['settings', 'dhcp'], env)
    expect([after.status.status, locks(original), uploads(made)]).toEqual(['interrupted', [], []])
    // Somebody uses the original's scripts over SSH, and did so before this began.
    writeFileSync(lock, '')
    utimesSync(lock, 1000, 1000)
    const again = made.run('wrapper', { args: ['settings', 'dhcp'], inputs: SETTINGS, env: die })
    utimesSync(lock, 1000, 1000)
    made.recover('wrapper', again.task, ['settings', 'dhcp'], env)
    expect(locks(original)).toEqual(['update_settings.sh.task'])
  })

  test.each([
    [
      'update',
      [],
      'root/etc/status_update.json',
      '{"status":"running","percentage":70}',
      '{"status":"failed","percentage":70}\n',
    ],
    ['certs', [], 'root/etc/status_certs.txt', 'running\n', 'failed\n'],
    ['backup', ['START'], 'root/home/sftp/uploads/backup.json', '{"status":"running"}', '{"status":"failed"}'],
  ])('says in the original’s status that a killed %s failed', (kind, args, file, running, failed) => {
    const { made, env } = sandbox(shell)
    const wrapper = join(made.root, 'bin/dies.sh')
    made.program(wrapper, `printf '%s' '${running.trim()}' >'${join(made.folder, file)}'; kill -9 "$PPID"`)
    const broken = made.run('wrapper', { args: [kind, ...args], env: { ...env, EDGE_WRAPPER: wrapper } })
    expect(made.read(file)?.trim()).toBe(running.trim())
    made.recover('wrapper', broken.task, [kind, ...args], env)
    expect(made.read(file)).toBe(failed)
  })

  test('hands files on that the original’s other users can read, and makes none that only root can', () => {
    const { made, env } = sandbox(shell)
    const wrapper = join(made.root, 'bin/look.sh')
    made.program(
      wrapper,
      'stat -c "%a %g" "$EDGE_ROOT/home/sftp/uploads/license.asc"; umask; ls /proc/self/fd | grep -c "^9$"',
    )
    const ended = made.run('wrapper', {
      args: ['license'],
      inputs: { 'license.asc': 'x' },
      env: { ...env, EDGE_WRAPPER: wrapper },
    })
    const group = statSync(join(made.root, 'home/sftp/uploads')).gid
    expect(ended.log).toMatch(new RegExp(`^640 ${group}\n0?022\n0$`, 'm'))
    expect(readFileSync(join(ended.task, 'placed'), 'utf8')).toBe('license.asc\n')
  })
})
