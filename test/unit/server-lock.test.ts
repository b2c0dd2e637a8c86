// Locks of folders and tasks, which the kernel keeps. This process keeps a lock until it ends, so each test uses other
// folders.
import { spawn, spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Folders } from '../../src/folders.ts'
import { exclusively, hold, isHeld } from '../../src/store/lock.ts'
import { StateTaken, takeState } from '../../src/tasks/server-lock.ts'
import { until } from '../api/client.ts'

let temp: string
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'edge-admin-locks-'))
})
afterEach(() => rmSync(temp, { recursive: true, force: true }))

/** Whether another process could have the lock now. */
const isFree = (path: string) => spawnSync('flock', ['-n', '-x', path, 'true']).status === 0

describe('a lock', () => {
  it('is held as long as somebody has it, and not where there is no file', async () => {
    const file = join(temp, 'x.lock')
    expect(isHeld(file)).toBe(false)
    expect(existsSync(file)).toBe(false)
    closeSync(openSync(file, 'w'))
    expect(isHeld(file)).toBe(false)
    const holder = spawn('flock', [file, 'sleep', '600'], { stdio: 'ignore', detached: true })
    await until('it is held', () => !isFree(file))
    expect(isHeld(file)).toBe(true)
    // Nor is another file held for that.
    closeSync(openSync(join(temp, 'y.lock'), 'w'))
    expect(isHeld(join(temp, 'y.lock'))).toBe(false)
    if (holder.pid) process.kill(-holder.pid, 'SIGKILL')
    await until('it is free', () => isHeld(file) === false)
  })

  it('is neither held nor free where nobody can tell', async () => {
    const path = join(temp, 'socket')
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(path, resolve))
    expect(isHeld(path)).toBeUndefined()
    await new Promise((resolve) => server.close(resolve))
  })

  it('of a folder is ours while something is done, also when that fails, and no longer', () => {
    expect(exclusively(temp, () => isFree(temp))).toBe(false)
    expect(isFree(temp)).toBe(true)
    expect(() =>
      exclusively(temp, () => {
        throw new Error('no')
      }),
    ).toThrow('no')
    expect(isFree(temp)).toBe(true)
  })

  it('of a folder is taken once, and kept', () => {
    expect(hold(temp)).toBe(true)
    expect(isFree(temp)).toBe(false)
    const open = readdirSync('/proc/self/fd').length
    expect(hold(temp)).toBe(false)
    expect(readdirSync('/proc/self/fd')).toHaveLength(open)
    expect(() => hold(join(temp, 'none'))).toThrow(/ENOENT/)
  })
})

describe('the state of a server', () => {
  const folders = (state = 'deep/er/state', root = 'root'): Folders => {
    mkdirSync(join(temp, root, 'etc'), { recursive: true })
    return { root: join(temp, root), sysconf: temp, data: temp, state: join(temp, state) }
  }
  const warned: string[] = []
  const take = (of: Folders) => takeState(of, { host: '::', port: 8443 }, (text) => warned.push(text))
  const failureOf = (of: Folders) => {
    try {
      take(of)
    } catch (error) {
      return error as Error
    }
    return undefined
  }
  afterEach(() => void warned.splice(0))

  it('is taken with a record of who has it, in folders that are not for everybody', () => {
    const of = folders()
    mkdirSync(of.state, { recursive: true })
    writeFileSync(join(of.state, 'server.json'), 'of the past')
    take(of)
    const { pid, since, listen } = JSON.parse(readFileSync(join(of.state, 'server.json'), 'utf8'))
    expect([pid, listen]).toEqual([process.pid, { host: '::', port: 8443 }])
    expect(statSync(join(of.state, 'locks')).mode & 0o777).toBe(0o750)
    const taken = failureOf(of)
    expect(taken).toBeInstanceOf(StateTaken)
    expect(taken?.message).toBe(`${of.state} is in use by another server: process ${pid}, since ${since}`)
    writeFileSync(join(of.state, 'server.json'), '{"pid":"x"}')
    expect(failureOf(of)?.message).toBe(`${of.state} is in use by another server`)
    expect(warned).toEqual([])
  })

  it('is not taken with the root folder of another server', () => {
    take(folders('a'))
    const taken = failureOf(folders('b'))
    expect(taken).toBeInstanceOf(StateTaken)
    expect(taken?.message).toBe(`${join(temp, 'root')} is in use by another server`)
    expect(existsSync(join(temp, 'b/server.json'))).toBe(false)
    expect(failureOf(folders('c', 'other'))).toBeUndefined()
  })

  it('is made with all folders above it, or the reason is told', () => {
    const of = folders('made/as/well')
    take(of)
    expect(existsSync(join(of.state, 'locks'))).toBe(true)
    writeFileSync(join(temp, 'file'), '')
    const error = failureOf(folders('file/state', 'other'))
    expect(error).not.toBeInstanceOf(StateTaken)
    expect(error?.message).toMatch(/file\/state: the state folder cannot be made: ENOTDIR/)
  })

  it('is taken also where no record can be written, which is warned of', () => {
    const of = folders()
    mkdirSync(join(of.state, 'server.json/x'), { recursive: true })
    take(of)
    expect(warned).toEqual([expect.stringMatching(/^the state folder cannot be written: /)])
    expect(failureOf(of)).toBeInstanceOf(StateTaken)
  })
})
