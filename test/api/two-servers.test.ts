// One server for one state folder, by a kernel lock. What the second one must not touch is compared as bytes,
// and both are the real program, since a lock within one process would prove nothing.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Folders } from '../../src/folders.ts'
import { isHeld } from '../../src/store/lock.ts'
import { tree } from '../scripts/harness.ts'
import { installation, isRoot, makeAppliance, startServer } from './appliance.ts'
import { until } from './client.ts'

const args = ({ root, sysconf, data }: Folders, state: string) => [
  ...[join(installation(), 'edge-admin.js'), 'serve', '--no-tls', '--port', '0'],
  ...['--root', root, '--sysconfdir', sysconf, '--datadir', data, '--statedir', state],
]
/** A server that is expected to end by itself. */
const second = (folders: Folders, state = folders.state) =>
  spawnSync(process.execPath, args(folders, state), { encoding: 'utf8', timeout: 20_000, killSignal: 'SIGKILL' })

describe('a second server on one state folder', () => {
  it('says who has it, ends with 75, and has touched nothing', async () => {
    const first = await startServer()
    try {
      const { folders } = first
      // What a server that starts would tidy away.
      writeFileSync(join(folders.root, 'tmp/incoming/upload-of-the-first'), 'half')
      mkdirSync(join(folders.state, 'tasks/20200101T000000000Z-dead/input'), { recursive: true })
      writeFileSync(join(folders.state, 'tasks/20200101T000000000Z-dead/input/appliance.key'), 'secret')
      await first.call('GET', '/version')
      // The first one writes down soon after whom it has come to know.
      await until('it has nothing more to write', () => existsSync(join(folders.state, 'known-addresses.json')))
      const before = tree(folders.root)
      const alias = join(folders.root, '..', `alias-${process.pid}`)
      symlinkSync(folders.state, alias)
      for (const state of [folders.state, alias, `${folders.state}/../state/.`]) {
        const { status, stderr, stdout } = second(folders, state)
        expect([status, stdout]).toEqual([75, ''])
        expect(stderr).toContain(`is in use by another server: process ${first.process.pid}, since 20`)
      }
      expect(tree(folders.root)).toEqual(before)
      expect((await first.call('GET', '/version')).status).toBe(200)
    } finally {
      await first.close()
    }
  }, 60_000)

  it('is kept out of the same root folder as well, with another state folder', async () => {
    const first = await startServer()
    try {
      const { folders } = first
      const half = join(folders.root, 'tmp/incoming/upload-of-the-first')
      writeFileSync(half, 'half')
      const { status, stderr } = second(folders, join(folders.root, 'another-state'))
      expect([status, existsSync(half)]).toEqual([75, true])
      expect(stderr).toContain(`${folders.root} is in use by another server`)
    } finally {
      await first.close()
    }
  }, 60_000)

  it('starts as soon as the first one was killed, while a task of that one goes on', async () => {
    const first = await startServer({ environment: { EDGE_FAULT: 'backup-started=hang' } })
    const { folders } = first
    let next: Awaited<ReturnType<typeof first.again>> | undefined
    const held = () => isHeld(join(folders.state, 'locks/backup.lock')) === true
    const record = () => sessionsBelow(join(folders.state, 'tasks'))
    try {
      const form = [{ name: 'action', value: 'START' }]
      expect((await first.call('POST', '/backup', { form })).status).toBe(202)
      await until('the task has its lock', () => held() && record().length > 0)
      await first.kill('SIGKILL')
      next = await first.again()
      expect(JSON.parse(readFileSync(join(folders.state, 'server.json'), 'utf8')).pid).toBe(next.process.pid)
      expect(held()).toBe(true)
    } finally {
      for (const pid of record()) process.kill(-pid, 'SIGKILL')
      await (next ?? first).close()
    }
  }, 60_000)

  it('is kept out through a bind mount as well', async (context) => {
    if (!isRoot || spawnSync('unshare', ['--mount', 'true']).status !== 0)
      context.skip('bind mounts need root and namespaces')
    const first = await startServer()
    try {
      const other = join(first.folders.root, 'elsewhere')
      mkdirSync(other)
      const script = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
      const argv = ['--mount', 'sh', '-c', script, 'sh', first.folders.state, other, process.execPath]
      const { status, stderr } = spawnSync('unshare', [...argv, ...args(first.folders, other)], {
        encoding: 'utf8',
        timeout: 20_000,
        killSignal: 'SIGKILL',
      })
      expect(stderr).toContain(`process ${first.process.pid}`)
      expect(status).toBe(75)
    } finally {
      await first.close()
    }
  }, 60_000)
})

describe('a state folder that cannot be written', () => {
  it.each([
    ['read-only', 'mount -o remount,ro "$0"', /the folder \S+ is on a read-only file system: set --statedir/],
    [
      'full',
      'mkdir "$0/locks"; dd if=/dev/zero of="$0/fill" bs=4k status=none 2>/dev/null',
      /state folder cannot be written: the disk is full/,
    ],
  ])(
    'is named for what it is: %s',
    async (_what, script, words) => {
      if (!isRoot || spawnSync('unshare', ['--mount', 'true']).status !== 0) return
      const { folders } = makeAppliance()
      const inside = `mount -t tmpfs -o size=64k tmpfs "$0"; ${script}; exec "$@"`
      const argv = ['--mount', 'sh', '-c', inside, folders.state, process.execPath, ...args(folders, folders.state)]
      const child = spawn('unshare', argv, { stdio: ['ignore', 'pipe', 'pipe'] })
      let output = ''
      const take = (chunk: Buffer) => {
        output += chunk
      }
      child.stdout.on('data', take)
      child.stderr.on('data', take)
      try {
        await until('it says so, or ends', () => words.test(output) || child.exitCode !== null, 20)
        expect(output).toMatch(words)
      } finally {
        child.kill('SIGKILL')
      }
    },
    30_000,
  )
})

/** The sessions of the tasks below a folder, as their scripts wrote them down. */
function sessionsBelow(folder: string): number[] {
  return readdirSync(folder).flatMap((id) => {
    const file = join(folder, id, 'pid')
    return existsSync(file) ? [Number(readFileSync(file, 'utf8').split(' ')[0])] : []
  })
}
