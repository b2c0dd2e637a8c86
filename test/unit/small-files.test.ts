// Small files: what is on the disk when, in which order, and how damaged ones are read. Only a power cut would show that a sync
// is missing, so the tests record the system calls.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  parseJson,
  readEdited,
  readForeign,
  readJson,
  readLine,
  readText,
  syncFolder,
  writeAtomic,
} from '../../src/store/atomic.ts'
import { CachedFile } from '../../src/store/cached-file.ts'
import { LazyFile } from '../../src/store/lazy-file.ts'
import { moveFile } from '../../src/store/move-file.ts'
import { adopt, copyEntry, syncFile, walk } from '../../src/store/tree.ts'
import { isRoot } from '../api/appliance.ts'

const disk = vi.hoisted(() => ({ calls: [] as string[], refuse: undefined as string | undefined }))
vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>()
  const nameOf = (path: string) => path.replace(/^.*\//, '').replace(/[0-9a-f]{12}$/, '*')
  const fsyncSync = (fd: number) => {
    disk.calls.push(`sync ${nameOf(real.readlinkSync(`/proc/self/fd/${fd}`))}`)
    real.fsyncSync(fd)
  }
  const renameSync = (from: string, to: string) => {
    disk.calls.push(`rename ${nameOf(from)} ${nameOf(to)}`)
    const code = disk.refuse
    if (code) {
      // Across devices only the first try fails.
      if (code === 'EXDEV') disk.refuse = undefined
      throw Object.assign(new Error(code), { code })
    }
    real.renameSync(from, to)
  }
  const changed = { fsyncSync, renameSync }
  return { ...real, ...changed, default: { ...real, ...changed } }
})

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>()
  const open = async (path: string, flags: string) => {
    const handle = await real.open(path, flags)
    const sync = handle.sync.bind(handle)
    handle.sync = () => {
      disk.calls.push(`sync ${path.replace(/^.*\//, '').replace(/[0-9a-f]{12}$/, '*')}`)
      return sync()
    }
    return handle
  }
  return { ...real, open, default: { ...real, open } }
})

let folder: string
const at = (name: string) => join(folder, name)
const modeOf = (name: string) => statSync(at(name)).mode & 0o777
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-small-'))
  disk.calls.length = 0
  disk.refuse = undefined
})
afterEach(() => {
  vi.useRealTimers()
  rmSync(folder, { recursive: true, force: true })
})

describe('a file that is replaced', () => {
  it('is on the disk before it has its name, and its name before anybody goes on', () => {
    writeAtomic(at('file'), 'one')
    expect(disk.calls).toEqual(['sync .file.*', 'rename .file.* file', `sync ${basename(folder)}`])
    expect([readFileSync(at('file'), 'utf8'), modeOf('file')]).toEqual(['one', 0o640])
    writeAtomic(at('file'), Buffer.from('two'), 0o600)
    expect([readFileSync(at('file'), 'utf8'), modeOf('file'), readdirSync(folder)]).toEqual(['two', 0o640, ['file']])
    disk.calls.length = 0
    syncFolder(folder)
    expect(disk.calls).toEqual([`sync ${basename(folder)}`])
  })

  it('is left as it was when that fails, and nothing beside it', () => {
    writeAtomic(at('file'), 'one')
    disk.refuse = 'EIO'
    expect(() => writeAtomic(at('file'), 'two')).toThrow('EIO')
    expect([readFileSync(at('file'), 'utf8'), readdirSync(folder)]).toEqual(['one', ['file']])
  })

  it('is never a link or a folder', () => {
    symlinkSync('target', at('link'))
    mkdirSync(at('folder'))
    for (const name of ['link', 'folder'])
      expect(() => writeAtomic(at(name), 'x')).toThrow(`not a regular file: ${at(name)}`)
    expect(readdirSync(folder).sort()).toEqual(['folder', 'link'])
  })

  it.skipIf(!isRoot)('has the group that it shall have, when it is new', () => {
    writeAtomic(at('file'), 'x', 0o640, 2345)
    writeAtomic(at('file'), 'x', 0o640, 5432)
    writeAtomic(at('other'), 'x')
    const group = (name: string) => statSync(at(name)).gid
    expect([group('file'), group('other')]).toEqual([2345, process.getgid?.()])
  })
})

describe('a file that is read', () => {
  it('is nothing where there is none', () => {
    writeFileSync(at('file'), 'x')
    symlinkSync('loop', at('loop'))
    spawnSync('mkfifo', [at('pipe')])
    symlinkSync('/dev/zero', at('device'))
    for (const name of ['none', '.', 'file/below', 'loop', 'pipe', 'device']) {
      const read = [readText, readEdited, readForeign, readJson, readLine].map((one) => one(at(name)))
      expect([name, ...read]).toEqual([name, undefined, undefined, undefined, undefined, undefined])
    }
  })

  it('is read through a link where root or we laid it, and named where it is too large to be edited by people', () => {
    writeFileSync(at('file'), '{}')
    symlinkSync('file', at('link'))
    expect([readText, readEdited, readJson, readLine].map((one) => one(at('link')))).toEqual(['{}', '{}', {}, '{}'])
    if (isRoot) {
      lchownSync(at('link'), 4711, 4711)
      expect([readText, readEdited, readJson, readLine].map((one) => one(at('link')))).toEqual(Array(4).fill(undefined))
    }
    truncateSync(at('file'), (16 << 20) + 1)
    expect([readText(at('file')), readJson(at('file'))]).toEqual([undefined, undefined])
    expect(() => readEdited(at('file'))).toThrow(`${at('file')}: larger than 16 MiB`)
    // Of this one the first line counts.
    expect(readLine(at('file'))?.slice(0, 2)).toBe('{}')
  })

  it('of other hands is never a link, a pipe or too large', () => {
    writeFileSync(at('most'), 'x'.repeat(1 << 20))
    writeFileSync(at('more'), 'x'.repeat((1 << 20) + 1))
    symlinkSync('most', at('link'))
    spawnSync('mkfifo', [at('pipe')])
    expect(readForeign(at('most'))).toHaveLength(1 << 20)
    expect(['more', 'link', 'pipe'].map((name) => readForeign(at(name)))).toEqual([undefined, undefined, undefined])
    expect(() => readForeign(join(folder, 'x'.repeat(300)))).toThrow(/ENAMETOOLONG/)
  })

  it('by people is read by its encoding, or named with what is wrong', () => {
    writeFileSync(at('file'), Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('{"a":"é"}\r\nb', 'utf16le')]))
    expect(readEdited(at('file'))).toBe('{"a":"é"}\r\nb')
    expect([readLine(at('file')), readJson(at('file'))]).toEqual(['{"a":"é"}', undefined])
    writeFileSync(at('file'), Buffer.from('a\0é b\nc', 'latin1'))
    expect(() => readEdited(at('file'))).toThrow(`${at('file')}: NUL bytes; expected UTF-8`)
    expect([readLine(at('file')), readJson(at('file'))]).toEqual(['a b', undefined])
    writeFileSync(at('file'), '')
    expect([readLine(at('file')), readEdited(at('file')), readText(at('file'))]).toEqual(['', '', ''])
    writeFileSync(at('file'), '{"a":1}')
    expect(readJson(at('file'))).toEqual({ a: 1 })
    expect([parseJson(undefined), parseJson('{'), parseJson('[1]')]).toEqual([undefined, undefined, [1]])
  })
})

describe('a file that is moved', () => {
  it('has its name and its mode, and the folder is on the disk', async () => {
    writeFileSync(at('from'), 'x', { mode: 0o666 })
    await moveFile(at('from'), at('to'))
    expect(disk.calls).toEqual(['rename from to', `sync ${basename(folder)}`])
    expect([readdirSync(folder), modeOf('to')]).toEqual([['to'], 0o640])
  })

  it('to another device is whole before it has its name, and gone where it was', async () => {
    writeFileSync(at('from'), 'x')
    disk.refuse = 'EXDEV'
    await moveFile(at('from'), at('to'), 0o600)
    expect(disk.calls).toEqual(['rename from to', 'sync .to.*', 'rename .to.* to', `sync ${basename(folder)}`])
    expect([readdirSync(folder), readFileSync(at('to'), 'utf8'), modeOf('to')]).toEqual([['to'], 'x', 0o600])
  })

  it('stays where it is when that fails, and nothing is beside it', async () => {
    writeFileSync(at('from'), 'x')
    disk.refuse = 'EACCES'
    await expect(moveFile(at('from'), at('to'))).rejects.toThrow('EACCES')
    expect(disk.calls).toEqual(['rename from to'])
    disk.refuse = 'EXDEV'
    mkdirSync(at('in-the-way'))
    await expect(moveFile(at('from'), at('in-the-way'))).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/)
    expect(readdirSync(folder).sort()).toEqual(['from', 'in-the-way'])
  })
})

describe('an entry of a tree', () => {
  it('is found below its folder, in one order, as what it is', () => {
    mkdirSync(at('b/c'), { recursive: true })
    writeFileSync(at('b/a'), '')
    writeFileSync(at('a'), '')
    symlinkSync('b', at('c'))
    spawnSync('mkfifo', [at('d')])
    expect([...walk(folder)].map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      ...['file a', 'folder b', 'file b/a', 'folder b/c', 'link c', 'other d'],
    ])
  })

  it('is copied with mode and times, also over what a killed copy left, and is on the disk then', () => {
    writeFileSync(at('from'), 'new')
    chmodSync(at('from'), 0o4751)
    utimesSync(at('from'), 1000, 2000)
    writeFileSync(at('to'), 'half')
    copyEntry(at('from'), at('to'))
    expect(disk.calls).toEqual(['sync to'])
    const { mode, mtimeMs } = statSync(at('to'))
    expect([readFileSync(at('to'), 'utf8'), mode & 0o7777, mtimeMs]).toEqual(['new', 0o4751, 2_000_000])
    symlinkSync('nowhere', at('link'))
    copyEntry(at('link'), at('to'))
    expect(lstatSync(at('to')).isSymbolicLink()).toBe(true)
    // A link has no content of its own.
    syncFile(at('to'))
    syncFile(folder)
    expect(disk.calls).toEqual(['sync to'])
  })

  it.skipIf(!isRoot)('gets owner and group of another, and its mode after that', () => {
    writeFileSync(at('like'), '')
    spawnSync('chown', ['1234:2345', at('like')])
    writeFileSync(at('file'), '')
    adopt(at('file'), lstatSync(at('like')), 0o4755)
    const { uid, gid, mode } = lstatSync(at('file'))
    expect([uid, gid, mode & 0o7777]).toEqual([1234, 2345, 0o4755])
    symlinkSync('like', at('link'))
    chmodSync(at('like'), 0o600)
    adopt(at('link'), lstatSync(at('file')), 0o777)
    expect([lstatSync(at('link')).uid, modeOf('like')]).toEqual([1234, 0o600])
    spawnSync('chown', ['1234:0', at('like')])
    adopt(at('file'), lstatSync(at('like')))
    expect([lstatSync(at('file')).gid, lstatSync(at('file')).uid]).toEqual([0, 1234])
    spawnSync('chown', ['4321:0', at('like')])
    adopt(at('file'), lstatSync(at('like')))
    expect([lstatSync(at('file')).gid, lstatSync(at('file')).uid]).toEqual([0, 4321])
  })
})

describe('a file that is asked for again and again', () => {
  const nextTurn = () => new Promise((resolve) => setImmediate(resolve))
  let reads = 0
  const create = () => {
    reads = 0
    return new CachedFile(at('file'), (there) => {
      reads += 1
      return there ? readFileSync(at('file'), 'utf8') : 'none'
    })
  }

  it('is read only when it was written, replaced, made or removed', async () => {
    const file = create()
    const get = async () => {
      await nextTurn()
      return [file.get(), file.get(), reads]
    }
    expect(await get()).toEqual(['none', 'none', 1])
    writeFileSync(at('file'), 'one')
    expect(await get()).toEqual(['one', 'one', 2])
    // The size is another, or the file is, or only the time.
    writeFileSync(at('file'), 'three')
    expect(await get()).toEqual(['three', 'three', 3])
    writeAtomic(at('file'), 'seven')
    expect(await get()).toEqual(['seven', 'seven', 4])
    rmSync(at('file'))
    expect(await get()).toEqual(['none', 'none', 5])
    mkdirSync(at('file'))
    expect(await get()).toEqual(['none', 'none', 5])
    file.forget()
    expect(await get()).toEqual(['none', 'none', 6])
  })

  it('is looked at once in a turn of the event loop, and again after a write of this process', async () => {
    const file = create()
    expect(file.get()).toBe('none')
    // Another program's: it is seen in the next turn.
    writeFileSync(at('file'), 'one')
    expect([file.get(), reads]).toEqual(['none', 1])
    await nextTurn()
    expect([file.get(), reads]).toEqual(['one', 2])
    writeAtomic(at('file'), 'two')
    expect([file.get(), reads]).toEqual(['two', 3])
    writeFileSync(at('file'), 'three')
    file.forget()
    expect([file.get(), reads]).toEqual(['three', 4])
  })

  it('is read again after a read that failed', () => {
    writeFileSync(at('file'), 'x')
    let broken = true
    const file = new CachedFile(at('file'), () => {
      if (broken) throw new Error('broken')
      return 'fine'
    })
    expect(() => file.get()).toThrow('broken')
    expect(() => file.get()).toThrow('broken')
    broken = false
    expect(file.get()).toBe('fine')
  })
})

describe('a file that follows what is in memory', () => {
  it('is written once for many changes, a moment after the first, and not for none', () => {
    vi.useFakeTimers()
    let text = 'none'
    const file = new LazyFile(at('file'), () => text)
    file.save()
    expect(existsSync(at('file'))).toBe(false)
    for (text of ['a', 'b', 'c']) {
      file.soon()
      vi.advanceTimersByTime(30)
    }
    expect(existsSync(at('file'))).toBe(false)
    vi.advanceTimersByTime(10)
    expect([readFileSync(at('file'), 'utf8'), modeOf('file')]).toEqual(['c', 0o600])
    rmSync(at('file'))
    vi.advanceTimersByTime(1000)
    file.save()
    expect(existsSync(at('file'))).toBe(false)
    file.soon()
    file.save()
    expect(existsSync(at('file'))).toBe(true)
    rmSync(at('file'))
    vi.advanceTimersByTime(1000)
    expect(existsSync(at('file'))).toBe(false)
    file.soon()
    vi.advanceTimersByTime(100)
    expect(existsSync(at('file'))).toBe(true)
  })

  it('stays in memory without a file, and goes on without a disk', () => {
    vi.useFakeTimers()
    let renders = 0
    const render = () => `${++renders}`
    new LazyFile(undefined, render).soon()
    const lost = new LazyFile(at('none/file'), render, 5)
    lost.soon()
    vi.advanceTimersByTime(5)
    expect(renders).toBe(1)
    mkdirSync(at('none'))
    lost.save()
    expect(renders).toBe(1)
    lost.soon()
    vi.advanceTimersByTime(5)
    expect(readFileSync(at('none/file'), 'utf8')).toBe('2')
    expect(vi.getTimerCount()).toBe(0)
  })
})
