// Whether a service runs, as systemd, OpenRC and init scripts say it. A stopped service and a missing service manager are answers,
// not errors.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { CommandError, createRun, type Run } from '../../src/drivers/run.ts'
import { RC_SERVICE, SYSTEMCTL, serviceManager } from '../../src/drivers/service-manager.ts'

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

  it.each([1, 2, 3, 4, 8, 16, 32])('is heard whatever it says with status %i', async (status) => {
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
