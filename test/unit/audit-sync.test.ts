// When an entry is safe: the order of append and sync, and who waits for which. The disk is held by the test, so nothing here depends on time.
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SampleLog } from './audit-log.ts'

const disk = vi.hoisted(() => ({
  held: [] as ((error?: Error) => void)[],
  hold: false,
  /** The size that each file had when it was last synced in one piece with what goes on. */
  synced: new Map<string, number>(),
}))
vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>()
  const fdatasync = (fd: number, done: (error: Error | null) => void) => {
    if (!disk.hold) return real.fdatasync(fd, done)
    disk.held.push((error) => (error ? done(error) : real.fdatasync(fd, done)))
  }
  const fsyncSync = (fd: number) => {
    real.fsyncSync(fd)
    disk.synced.set(real.readlinkSync(`/proc/self/fd/${fd}`), real.fstatSync(fd).size)
  }
  const changed = { fdatasync, fsyncSync }
  return { ...real, ...changed, default: { ...real, ...changed } }
})

let log: SampleLog
beforeEach(() => {
  log = new SampleLog()
  log.fill(1)
})
afterEach(() => {
  disk.hold = false
  for (const go of disk.held.splice(0)) go()
  log.remove()
})

/** What a promise has come to, without waiting for more than what is due already. */
const settled = (promise: Promise<unknown>) =>
  Promise.race([promise.then(() => 'safe').catch(() => 'failed'), new Promise((done) => setImmediate(done, 'waits'))])

/** What this process has open below a folder. */
const openFiles = (folder: string) =>
  readdirSync('/proc/self/fd')
    .map((fd) => `/proc/self/fd/${fd}`)
    // The one that the list itself was read from is gone.
    .filter((link) => lstatSync(link, { throwIfNoEntry: false }))
    .map((link) => readlinkSync(link))
    .filter((path) => path.startsWith(folder))

describe('an entry', () => {
  it('is safe once a sync has ended that began after it, and not before', async () => {
    disk.hold = true
    const first = log.chain.synced()
    log.fill(1, 2)
    const second = log.chain.synced()
    log.fill(1, 3)
    const third = log.chain.synced()
    expect(disk.held).toHaveLength(1)
    expect(readFileSync(log.segments[0] ?? '', 'utf8')).toMatch(/pools\/p3/)
    disk.held.shift()?.()
    await first
    // The sync that ended began before the second and the third were there: both wait for one more, together.
    expect([await settled(second), await settled(third)]).toEqual(['waits', 'waits'])
    await vi.waitFor(() => expect(disk.held).toHaveLength(1))
    disk.held.shift()?.()
    await Promise.all([second, third])
    expect(disk.held).toEqual([])
  })

  it('in a segment that is full is safe before the next segment begins', () => {
    const small = new SampleLog({ segment: 1024 })
    try {
      small.fill(20)
      const full = small.segments.slice(0, -1)
      expect(full.length).toBeGreaterThan(2)
      expect(full.map((path) => disk.synced.get(path))).toEqual(full.map((path) => statSync(path).size))
    } finally {
      small.remove()
    }
  })

  it('that is safe already costs no sync', async () => {
    await log.chain.synced()
    disk.hold = true
    await log.chain.synced()
    expect(disk.held).toEqual([])
  })

  it('is waited for also when its segment is full meanwhile, or was given up', async () => {
    const small = new SampleLog({ segment: 1024 })
    try {
      small.fill(1)
      disk.hold = true
      const asked = small.chain.synced()
      small.fill(20, 2)
      expect(small.segments.length).toBeGreaterThan(2)
      small.chain.close()
      expect(await settled(asked)).toBe('waits')
      expect(openFiles(small.folder)).not.toEqual([])
      while (disk.held.length > 0) disk.held.shift()?.()
      await asked
      // Nobody waits any more: no file is kept open.
      expect(openFiles(small.folder)).toEqual([])
    } finally {
      small.remove()
    }
  })

  it('that the disk refuses is told to who waits, warned of once, and said by the log itself', async () => {
    disk.hold = true
    const asked = [log.chain.synced(), log.chain.synced()]
    const refusal = Object.assign(new Error('i/o'), { code: 'EIO' })
    disk.held.shift()?.(refusal)
    await expect(asked[0]).rejects.toBe(refusal)
    await vi.waitFor(() => expect(disk.held).toHaveLength(1))
    disk.held.shift()?.()
    await asked[1]
    expect(log.errors).toEqual([refusal])
    disk.hold = false
    log.fill(1, 2)
    expect(log.all().find(({ action }) => action === 'audit.unsynced')).toMatchObject({
      actor: 'system',
      result: 'failure',
      message: 'entries up to 2 may not be on the disk',
    })
    await log.chain.synced()
  })
})
