// Whether a service runs, as systemd, OpenRC and init scripts say it. A stopped service and a missing service manager are answers,
// not errors.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { CommandError, createRun, type Run } from '../../src/drivers/run.ts'
import { RC_SERVICE, ServicesUnknown, SYSTEMCTL, serviceManager } from '../../src/drivers/service-manager.ts'

const folder = mkdtempSync(join(tmpdir(), 'edge-admin-services-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The manager's program says this. */
function saying(stdout: string) {
  const calls: string[][] = []
  const run: Run = async (program, args) => {
    calls.push([program, ...args])
    return { stdout, stderr: '', status: 0 }
  }
  return { run, calls }
}

describe('a service', () => {
  it.each([
    ['systemd', 'active\n', true],
    ['systemd', 'inactive\n', false],
    ['systemd', 'activating\n', false],
    ['systemd', '', false],
    ['openrc', ' * status: started\n', true],
    ['openrc', ' * status: stopped\n', false],
    ['init', 'smbd is running.\n', true],
    ['init', 'Status: online\n', true],
    ['init', 'smbd is not running.\n', false],
    ['init', 'Status: offline\n', false],
  ] as const)('of %s that says %j runs: %s', async (kind, words, running) => {
    expect(await serviceManager(kind, folder, saying(words).run).isRunning('smbd')).toBe(running)
  })

  it('is asked for by name, where no name can be an option', async () => {
    const { run, calls } = saying('')
    for (const kind of ['systemd', 'openrc', 'init'] as const) await serviceManager(kind, folder, run).isRunning('smbd')
    expect(calls).toEqual([
      [SYSTEMCTL, 'is-active', '--', 'smbd'],
      [RC_SERVICE, 'smbd', 'status'],
      [join(folder, 'smbd'), 'status'],
    ])
  })

  it('is asked of its init script where there is one, else of the manager that is there', async () => {
    writeFileSync(join(folder, 'with-script'), '')
    const { run, calls } = saying('')
    const { isRunning } = serviceManager('auto', folder, run)
    await isRunning('with-script')
    await isRunning('without')
    const manager = existsSync('/run/systemd/system') ? SYSTEMCTL : RC_SERVICE
    expect(calls.map(([program]) => program)).toEqual([join(folder, 'with-script'), manager])
  })

  it('is asked once by all who ask at once, and again by who comes later', async () => {
    const asked: (() => void)[] = []
    const run: Run = () =>
      new Promise((resolve) => asked.push(() => resolve({ stdout: 'it is running', stderr: '', status: 0 })))
    const { isRunning } = serviceManager('init', folder, run)
    const many = Promise.all(Array.from({ length: 25 }, () => isRunning('smbd')))
    expect(asked).toHaveLength(1)
    asked[0]?.()
    expect(await many).toEqual(Array(25).fill(true))
    const later = isRunning('smbd')
    expect(asked).toHaveLength(2)
    asked[1]?.()
    expect(await later).toBe(true)
  })

  it('is one of eight that are asked at a time', async () => {
    let [now, most] = [0, 0]
    const run: Run = async () => {
      most = Math.max(most, ++now)
      await new Promise((resolve) => setImmediate(resolve))
      now--
      return { stdout: 'it is running', stderr: '', status: 0 }
    }
    const { isRunning } = serviceManager('init', folder, run)
    const all = await Promise.all(Array.from({ length: 50 }, (_, i) => isRunning(`service-${i}`)))
    expect([all.length, all.every(Boolean), most]).toEqual([50, true, 8])
  })

  it('is asked as root, with all that are asked for at once, where this process is somebody else', async () => {
    const { run, calls } = saying('smbd\nnfsd\n')
    const { isRunning } = serviceManager('init', folder, run, ['/usr/bin/sudo', '-n', '--', '/x/services.sh', 'status'])
    const names = ['smbd', 'crond', 'nfsd', 'smbd']
    expect(await Promise.all(names.map(isRunning))).toEqual([true, false, true, true])
    expect(calls).toEqual([['/usr/bin/sudo', '-n', '--', '/x/services.sh', 'status', 'smbd', 'crond', 'nfsd']])
  })

  it('is not said to be stopped where root cannot be asked; why is told once, until it is another reason or over', async () => {
    let stderr: string | undefined = 'sudo: a password is required\n'
    const run: Run = async (program, args) => {
      if (stderr !== undefined) throw new CommandError([program, ...args], 'status', stderr, 1)
      return { stdout: 'smbd\n', stderr: '', status: 0 }
    }
    const warnings: string[] = []
    const { isRunning } = serviceManager('init', folder, run, ['/usr/bin/sudo', 'x'], (text) => warnings.push(text))
    const both = () => Promise.allSettled(['smbd', 'nfsd'].map(isRunning))
    for (let i = 0; i < 3; i++)
      expect(await both()).toEqual(Array(2).fill({ status: 'rejected', reason: expect.any(ServicesUnknown) }))
    stderr = ''
    await both()
    stderr = undefined
    expect(await both()).toEqual([true, false].map((value) => ({ status: 'fulfilled', value })))
    stderr = ''
    await both()
    expect(warnings).toEqual(
      ['sudo: a password is required', '/usr/bin/sudo: status 1', '/usr/bin/sudo: status 1'].map(
        (why) => `the services cannot be asked as root: ${why}`,
      ),
    )
  })

  it.each([1, 2, 3, 4, 5, 8, 16, 32, 255])('is heard whatever it says with status %i', async (status) => {
    writeFileSync(join(folder, 'speaks'), `#!/bin/sh\necho is running\nexit ${status}\n`, { mode: 0o755 })
    expect(
      await serviceManager(
        'init',
        folder,
        createRun(() => true),
      ).isRunning('speaks'),
    ).toBe(true)
  })

  it('does not run where nobody can say so', async () => {
    const run: Run = (program, args) => Promise.reject(new CommandError([program, ...args], 'missing'))
    for (const kind of ['auto', 'systemd', 'openrc', 'init'] as const)
      expect(await serviceManager(kind, folder, run).isRunning('smbd')).toBe(false)
  })
})
