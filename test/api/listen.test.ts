// A server that cannot start: the exit status says whether to try again, and the line names the key.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text as textOf } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { readPlan } from '../../src/cli/serve-plan.ts'
import type { Folders } from '../../src/folders.ts'
import { installation, isRoot, makeAppliance } from './appliance.ts'
import { until } from './client.ts'

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
  expect([status, said]).toEqual([75, expected])
})

it('one of several ports that is taken is named, and a surface that nobody has is refused', async () => {
  const holder = createServer()
  const port = await new Promise<number>((resolve) => {
    holder.listen(0, '127.0.0.1', () => resolve((holder.address() as { port: number }).port))
  })
  const folder = mkdtempSync(join(tmpdir(), 'edge-admin-listen-'))
  const file = join(folder, 'edge-admin.json')
  const answer = async (ports: object[]) => {
    writeFileSync(file, JSON.stringify({ listen: { ports } }))
    const { status, said } = await serve('--port', '0', '--config', file)
    return [status, said]
  }
  const taken = `listen.ports.1.port: 127.0.0.1:${port} is taken: another program listens there already`
  expect(await answer([{ port: 0 }, { port }])).toEqual([75, `edge-admin serve: ${taken}\n`])
  const names = expect.stringContaining('listen.ports.0.surfaces.0: expected the name of a surface: admin, console')
  expect(await answer([{ port: 0, surfaces: ['toy'] }])).toEqual([78, names])
  holder.close()
  rmSync(folder, { recursive: true })
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
  expect([status, said]).toEqual([75, 'edge-admin serve: --host: this machine has no address 192.0.2.1 now\n'])
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

/** The server in a namespace of its own, after these lines of a shell, for which `$0` is an empty folder. */
function serveAfter(lines: string, more: (folder: string, folders: Folders) => string[] = () => []) {
  const { folders } = makeAppliance()
  const where = ['--root', folders.root, '--sysconfdir', folders.sysconf, '--datadir', folders.data]
  const at = join(folders.root, 'tmp/mounted')
  mkdirSync(at)
  const program = [join(installation(), 'edge-admin.js'), 'serve', '--port', '0', '--statedir', folders.state]
  const argv = [...program, ...where, ...more(at, folders)]
  return spawnSync('unshare', ['-m', 'sh', '-euc', `${lines}\nexec "$@"`, at, process.execPath, ...argv], {
    encoding: 'utf8',
    timeout: 30_000,
  })
}
const cannotMount = () => !isRoot || spawnSync('unshare', ['-m', 'true']).status !== 0

it('a default log on a disk that is full or read-only may be tried again', ({ skip }) => {
  if (cannotMount()) skip('it takes root to mount a read-only disk')
  const { status, stderr } = serveAfter('mount -t tmpfs -o ro none "$0"', (folder) => [
    '--default-log',
    join(folder, 'a.log'),
  ])
  expect([status, stderr]).toEqual([75, expect.stringMatching(/^edge-admin serve: --default-log: EROFS/)])
})

it('an interrupted export that a disk keeps from being put back may be tried again', ({ skip }) => {
  if (cannotMount()) skip('it takes root to mount a read-only disk')
  const half =
    (plan: string) =>
    (_: string, { root, state }: Folders) => {
      writeFileSync(join(root, 'etc/placed'), '')
      mkdirSync(join(state, 'export-original'), { recursive: true })
      const target = join(root, 'etc/placed')
      const entry = { path: 'placed', target, existed: false, placed: createHash('sha256').digest('hex') }
      const text = JSON.stringify({ base: '/', mark: 'x', folders: [], entries: [entry] })
      writeFileSync(join(state, 'export-original/plan.json'), plan || text)
      return []
    }
  const readOnly = 'cd "$0/../../etc"; mount --bind . .; mount -o remount,ro,bind "$PWD"'
  const full = serveAfter(readOnly, half(''))
  const text = /^edge-admin serve: what an export-original that was interrupted had done cannot be put back: EROFS/
  expect([full.status, full.stderr]).toEqual([75, expect.stringMatching(text)])
  // That goes by nothing but somebody's hand.
  const unreadable = serveAfter(':', half('{'))
  expect([unreadable.status, unreadable.stderr]).toEqual([78, expect.stringContaining('cannot be read')])
})

it('a system without flock is not tried again', ({ skip }) => {
  if (cannotMount()) skip('it takes root to hide a program')
  // The whole folder of system programs, but for this Node.
  const { status, stderr } = serveAfter(
    'touch "$0/node"; mount --bind "$1" "$0/node"; shift; set -- /usr/bin/node "$@"; mount --rbind "$0" /usr/bin',
  )
  expect([status, stderr]).toEqual([69, expect.stringContaining('the program flock is missing')])
})

it('after the original, the log says where this listens and which of its variables do nothing', async () => {
  const { folders } = makeAppliance()
  rmSync(join(folders.sysconf, 'edge-admin.json'))
  const file = join(folders.sysconf, 'jidoteki-admin-api.json')
  writeFileSync(file, '{"endpoints":["backup"],"parameters":["action"]}')
  const log = join(folders.root, 'log/edge-admin.log')
  const where = ['--sysconfdir', folders.sysconf, '--datadir', folders.data, '--statedir', folders.state]
  const env = {
    PATH: process.env['PATH'],
    JIDO_ADMIN_PATH: `${folders.root}/`,
    JIDO_API_PORT: '8080',
    JIDO_API_CUSTOM: 'mine',
  }
  const more = { ...env, JIDO_WITH_SSL: 'true' }
  for (const [environment, host, sentences] of [
    [
      env,
      '127.0.0.1',
      ['JIDO_API_PORT=8080 does nothing', 'says nothing of where to listen', 'JIDO_API_CUSTOM=mine does'],
    ],
    [
      more,
      '0.0.0.0',
      ['JIDO_WITH_SSL=true: listening', 'JIDO_API_PORT=8080 does nothing', 'JIDO_API_CUSTOM=mine does'],
    ],
  ] as const) {
    rmSync(log, { force: true })
    const argv = [join(installation(), 'edge-admin.js'), 'serve', ...where, '--port', '0', '--default-log', log]
    const child = spawn(process.execPath, argv, { stdio: 'ignore', env: environment })
    const gone = new Promise((resolve) => child.once('exit', resolve))
    try {
      const lines = await until('it has said all', () => {
        const all = (existsSync(log) ? readFileSync(log, 'utf8') : '').split('\n').filter(Boolean)
        return all.length > sentences.length && all.map((line) => JSON.parse(line))
      })
      const url = lines.find(({ msg }) => msg === 'listening').url as string
      expect(new URL(url).hostname).toBe(host)
      const said = lines
        .filter(({ level, msg }) => level === 40 && /JIDO_|listen/.test(msg))
        .map(({ msg }) => msg as string)
      expect(said).toEqual(sentences.map((sentence) => expect.stringContaining(sentence)))
      expect(said.filter((sentence) => sentence.includes(url))).toHaveLength(2)
    } finally {
      child.kill()
      await gone
    }
  }
})

/** Where an open file of a process leads; nothing for one that was closed meanwhile. */
function linkOf(pid: number | undefined, fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`)
  } catch {
    return undefined
  }
}

it('tells whoever started it once the port is open, and keeps nothing of that open', async () => {
  expect(await serve('--port', '0', '--ready-fd', '2')).toMatchObject({ status: 78 })
  const { folders } = makeAppliance()
  const log = join(folders.root, 'log/given.log')
  const where = ['--root', folders.root, '--sysconfdir', folders.sysconf, '--statedir', folders.state]
  const argv = [join(installation(), 'edge-admin.js'), 'serve', ...where, '--port', '0', '--default-log', log]
  const ready = join(folders.root, 'tmp/ready')
  const fd = openSync(ready, 'w')
  for (const to of [fd, 'pipe'] as const) {
    const child = spawn(process.execPath, [...argv, '--ready-fd', '3'], { stdio: ['ignore', 'ignore', 'ignore', to] })
    const gone = new Promise((resolve) => child.once('exit', resolve))
    try {
      if (to === fd) {
        await until('it says so', () => readFileSync(ready, 'utf8') === 'ready\n')
        await until('the log says so', () => readFileSync(log, 'utf8').includes('"listening"'))
        const open = () => readdirSync(`/proc/${child.pid}/fd`).map((name) => linkOf(child.pid, name))
        await until('it is closed', () => !open().includes(ready))
        expect(child.exitCode).toBeNull()
      } else {
        // It could be one of Node's own.
        await until('it warns', () => readFileSync(log, 'utf8').includes('--ready-fd 3: nobody was told'))
        child.kill()
        expect(await textOf(child.stdio[3] as Readable)).toBe('')
      }
    } finally {
      child.kill()
      await gone
    }
  }
  closeSync(fd)
})

it('a log that is rotated right after the start is opened anew, and ends nothing', async () => {
  const { folders } = makeAppliance()
  const at = (name: string) => join(folders.root, 'log', name)
  const where = ['--root', folders.root, '--sysconfdir', folders.sysconf, '--datadir', folders.data]
  const argv = [join(installation(), 'edge-admin.js'), 'serve', ...where, '--statedir', folders.state, '--port', '0']
  const listening = (name: string) => () => existsSync(at(name)) && readFileSync(at(name), 'utf8').includes('listening')
  const child = spawn(process.execPath, [...argv, '--default-log', at('given.log')], { stdio: 'ignore' })
  const gone = new Promise((resolve) => child.once('exit', resolve))
  try {
    await until('it listens', listening('given.log'))
    renameSync(at('given.log'), at('given.log.1'))
    child.kill('SIGHUP')
    await until('there is a new one', () => existsSync(at('given.log')))
  } finally {
    child.kill()
    await gone
  }
})
