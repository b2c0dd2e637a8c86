// A port that cannot be opened: the exit status says whether to try again, and the line names the key.
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readPlan } from '../../src/cli/serve.ts'
import { installation, makeAppliance } from './appliance.ts'

function serve(...args: string[]): Promise<{ status: number | null; said: string }> {
  const { folders } = makeAppliance()
  const where = ['--root', folders.root, '--sysconfdir', folders.sysconf, '--datadir', folders.data]
  const child = spawn(
    process.execPath,
    [join(installation(), 'edge-admin.js'), 'serve', ...where, '--statedir', folders.state, ...args],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, said })))
}

it('a port that is taken may be tried again, and says so', async () => {
  const holder = createServer()
  const port = await new Promise<number>((resolve) => {
    holder.listen(0, '127.0.0.1', () => resolve((holder.address() as { port: number }).port))
  })
  const { status, said } = await serve('--port', String(port))
  holder.close()
  const expected = `edge-admin serve: --port: 127.0.0.1:${port} is taken: another program listens there already\n`
  expect([status, said]).toEqual([69, expected])
})

it('a host that is no address is not tried again', async () => {
  const { status, said } = await serve('--port', '0', '--host', 'no-such-host.invalid')
  expect([status, said]).toEqual([
    78,
    expect.stringMatching(/^edge-admin serve: --host: no-such-host\.invalid is no addr/),
  ])
  for (const host of ['[::1]', '127.1', '127.0.0.1:8443', ' ', '*'])
    expect(() => readPlan(['--host', host])).toThrow(/^--host: expected an address/)
})

it('an address that this machine has not, may come', async () => {
  const { status, said } = await serve('--port', '0', '--host', '192.0.2.1')
  expect([status, said]).toEqual([69, 'edge-admin serve: --host: this machine has no address 192.0.2.1 now\n'])
})

it('logs where the configuration says, else where the init script does, else to standard output', () => {
  const plan = (log: object, ...args: string[]) => {
    const { folders } = makeAppliance({ config: { log } })
    return readPlan(['--root', folders.root, '--sysconfdir', folders.sysconf, ...args]).logFile
  }
  expect(plan({ file: '/var/log/a.log' }, '--default-log', '/var/log/b.log')).toBe('/var/log/a.log')
  expect(plan({}, '--default-log', '/var/log/b.log')).toBe('/var/log/b.log')
  expect(plan({})).toBeUndefined()
})

it('a default log that cannot be opened is named as the option that it is', async () => {
  const { status, said } = await serve('--port', '0', '--default-log', '/dev/null/a.log')
  expect([status, said]).toEqual([78, expect.stringMatching(/^edge-admin serve: --default-log: E(NOTDIR|EXIST)/)])
})
