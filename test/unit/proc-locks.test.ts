// What /proc/locks says of a lock, as proc(5) has it. A container does not see the locks of other containers: a line about this
// file proves that it is locked, a missing line proves nothing.
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, type Stats, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { isHeld } from '../../src/store/lock.ts'

const kernel = vi.hoisted(() => ({ locks: '' as string | undefined, dev: 0, ino: 0 }))
vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>()
  const readFileSync = (path: string, ...rest: []) => {
    if (path !== '/proc/locks') return real.readFileSync(path, ...rest)
    if (kernel.locks === undefined) throw new Error('no /proc')
    return kernel.locks
  }
  const statSync = (path: string) => ({ ...(real.statSync(path) as Stats), dev: kernel.dev, ino: kernel.ino })
  return { ...real, readFileSync, statSync, default: { ...real, readFileSync, statSync } }
})

const folder = mkdtempSync(join(tmpdir(), 'edge-admin-proc-locks-'))
const file = join(folder, 'x.lock')
writeFileSync(file, '')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** As `makedev` of the C library packs them. */
const device = (major: number, minor: number) =>
  (minor & 0xff) + (major & 0xfff) * 2 ** 8 + ((minor >> 8) & 0xfff) * 2 ** 20 + (major >> 12) * 2 ** 44

describe('a lock in /proc/locks', () => {
  const line = (where: string, kind = 'FLOCK ') =>
    `1: POSIX  ADVISORY  READ 1 00:01:1 0 EOF\n7: ${kind} ADVISORY  WRITE 9 ${where} 0 EOF\n`
  it.each([
    ['fe:00:77', 0xfe, 0, true],
    ['08:11:77', 8, 0x11, true],
    ['fe:00:77', 0xfe, 1, false],
    ['fe:00:77', 0xff, 0, false],
    ['fe:00:777', 0xfe, 0, false],
    ['fe:00:7', 0xfe, 0, false],
    ['103:12345:77', 0x103, 0x12345, true],
    ['103:345:77', 0x103, 0x12345, false],
    ['fff:fffff:77', 0xfff, 0xfffff, true],
    ['1002:00:77', 0x1002, 0, true],
  ])('at %s is that of the file 77 on the device %i:%i: %s', (where, major, minor, held) => {
    Object.assign(kernel, { locks: line(where), dev: device(major, minor), ino: 77 })
    expect(isHeld(file)).toBe(held)
  })

  it('of another kind, or in a line about something else, is none', () => {
    Object.assign(kernel, { locks: line('fe:00:77', 'POSIX '), dev: device(0xfe, 0), ino: 77 })
    expect(isHeld(file)).toBe(false)
    kernel.locks += '8: FLOCK  ADVISORY  WRITE 9 fe:00:78 0 EOF\n'
    expect(isHeld(file)).toBe(false)
  })

  it('is asked of flock(1) where nothing is said', () => {
    for (const locks of ['', undefined]) {
      kernel.locks = locks
      expect(isHeld(file)).toBe(false)
      const fd = openSync(file, 'r')
      const stdio: (number | 'ignore')[] = ['ignore', 'ignore', 'ignore', fd]
      expect(spawnSync('flock', ['-n', '-x', '3'], { stdio }).status).toBe(0)
      expect(isHeld(file)).toBe(true)
      closeSync(fd)
    }
  })
})
