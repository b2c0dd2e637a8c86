// Tasks as their files tell them. Under sudo a script writes its status into another folder, and that status is newer than the server's.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Folders } from '../../src/folders.ts'
import { hold } from '../../src/store/lock.ts'
import { TaskEndings } from '../../src/tasks/endings.ts'
import { dropUnneeded, isSpent, settleNameless } from '../../src/tasks/leftovers.ts'
import {
  hasPendingAudit,
  type PendingAudit,
  readPendingAudit,
  removePendingAudit,
  savePendingAudit,
} from '../../src/tasks/pending-audit.ts'
import { isStamped, lockFile, readTask, scriptFile, type Task, taskFolder, taskIds } from '../../src/tasks/task.ts'

const ID = '20260101T000000000Z-0a1z'
let folders: Folders
beforeEach(() => {
  const temp = mkdtempSync(join(tmpdir(), 'edge-admin-task-files-'))
  folders = { root: temp, sysconf: temp, data: temp, state: temp }
})
afterEach(() => rmSync(folders.state, { recursive: true, force: true }))

const put = (path: string, value: unknown = {}) => {
  const file = join(folders.state, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value))
}
const task = (status: string, message = ''): object => ({
  ...{ id: ID, kind: 'k', status, progress: 0, message, created_at: 'then' },
})
const there = (path: string) => existsSync(join(folders.state, path))
const owed: PendingAudit = { event: 'x', target: 'y', actor: 'admin', address: 'local' }

describe('a task', () => {
  it('is what its script says, until this server knows that it ended', () => {
    expect(readTask(folders, ID)).toBeUndefined()
    put(`tasks/${ID}/status.json`, task('pending', 'ours'))
    expect(readTask(folders, ID)?.message).toBe('ours')
    // Begun under sudo, and without a word yet.
    mkdirSync(join(folders.state, 'work', ID), { recursive: true })
    expect(readTask(folders, ID)?.message).toBe('ours')
    put(`work/${ID}/status.json`, task('running', 'script'))
    expect(readTask(folders, ID)).toMatchObject({ status: 'running', message: 'script' })
    put(`tasks/${ID}/status.json`, task('failed', 'ours'))
    expect(readTask(folders, ID)).toMatchObject({ status: 'failed', message: 'ours' })
    put(`tasks/${ID}/status.json`, task('no state'))
    expect(readTask(folders, ID)).toBeUndefined()
  })

  it('is none whose id is a path, or is too long', () => {
    const longest = 'a'.repeat(64)
    const others = [`${longest}a`, 'a_b', 'a.b']
    for (const id of [longest, ...others]) put(`tasks/${id}/status.json`, task('failed'))
    expect(readTask(folders, longest)).toBeDefined()
    for (const id of [...others, '', '..', `../tasks/${longest}`])
      expect([id, readTask(folders, id)]).toEqual([id, undefined])
    expect(taskIds(folders)).toEqual([longest])
  })

  it('is listed by its id, the newest first; without a folder there is none', () => {
    expect(taskIds(folders)).toEqual([])
    for (const id of ['b', 'c', 'a']) put(`tasks/${id}/x`)
    expect(taskIds(folders)).toEqual(['c', 'b', 'a'])
    rmSync(join(folders.state, 'tasks'), { recursive: true })
    put('tasks')
    expect(() => taskIds(folders)).toThrow(/ENOTDIR/)
  })

  it('of ours begins with a time', () => {
    const ids = [ID, `x${ID}`, `${ID}_`, 'backup-2025', '20260101T000000Z-0a1z', '20260101T000000000Z-']
    expect(ids.map(isStamped)).toEqual([true, false, false, false, false, false])
  })
})

describe('what a task leaves', () => {
  it('goes at its end, but for the old files of a swap', () => {
    for (const name of ['input/secret', 'try/x', 'swap/new/x', 'swap/old/x', 'log']) put(`tasks/${ID}/${name}`)
    dropUnneeded(folders, ID)
    const left = ['input', 'try', 'swap/new', 'swap/old/x', 'log'].map((name) => there(`tasks/${ID}/${name}`))
    expect(left).toEqual([false, false, false, true, true])
  })

  it('is spent unless old files or an entry are in it', () => {
    put(`tasks/${ID}/log`, '')
    expect(isSpent(folders, ID)).toBe(true)
    put(`tasks/${ID}/swap/plan.json`)
    expect(isSpent(folders, ID)).toBe(false)
    // Also when the script has another folder.
    put(`work/${ID}/log`, '')
    expect(isSpent(folders, ID)).toBe(false)
    rmSync(join(folders.state, `tasks/${ID}/swap`), { recursive: true })
    expect(isSpent(folders, ID)).toBe(true)
    put(`work/${ID}/swap/plan.json`)
    expect(isSpent(folders, ID)).toBe(false)
    rmSync(join(folders.state, `work/${ID}`), { recursive: true })
    savePendingAudit(folders, ID, owed)
    expect([isSpent(folders, ID), hasPendingAudit(folders, ID), readPendingAudit(folders, ID)]).toEqual([
      false,
      true,
      owed,
    ])
    removePendingAudit(folders, ID)
    removePendingAudit(folders, ID)
    expect([isSpent(folders, ID), hasPendingAudit(folders, ID), readPendingAudit(folders, ID)]).toEqual([
      true,
      false,
      undefined,
    ])
    put(`tasks/${ID}/owed`, '{"event":1}')
    expect(readPendingAudit(folders, ID)).toBeUndefined()
  })

  it('without a status goes with all that is in it, unless it is somebody’s or its lock is held', () => {
    const lock = lockFile(folders, 'a-lock')
    // A folder takes the place of the file: both are locked in one way.
    mkdirSync(lock, { recursive: true })
    put(`tasks/${ID}/request.json`, { kind: 'k', lock: 'a-lock' })
    put(`tasks/${ID}/input/secret`, 'x')
    put('tasks/backup-2025/mine', 'x')
    expect(settleNameless(folders, 'backup-2025')).toBe(false)
    expect(there('tasks/backup-2025/mine')).toBe(true)
    expect(hold(lock)).toBe(true)
    expect(settleNameless(folders, ID)).toBe(false)
    expect(there(`tasks/${ID}/input/secret`)).toBe(true)
    put(`tasks/${ID}/request.json`, { kind: 'k', lock: 'another' })
    expect(settleNameless(folders, ID)).toBe(true)
    expect(there(`tasks/${ID}`)).toBe(false)
    put(`tasks/${ID}/input/secret`, 'x')
    expect([settleNameless(folders, ID), there(`tasks/${ID}`)]).toEqual([true, false])
  })

  it.each(['writers', 'pid', 'swap/plan.json'])('without a status gets one when its script has begun: %s', (name) => {
    put(`tasks/${ID}/request.json`, { kind: 'k', lock: 'a-lock' })
    put(`tasks/${ID}/${name}`, 'x')
    expect(settleNameless(folders, ID)).toBe(false)
    expect(readTask(folders, ID)).toMatchObject({ id: ID, kind: 'k', status: 'running', progress: 0 })
  })

  it('without a request goes as well, but for the old files of a swap', () => {
    for (const name of ['pid', 'swap/plan.json', 'swap/old/x', 'input/secret']) put(`tasks/${ID}/${name}`, 'x')
    expect(settleNameless(folders, ID)).toBe(false)
    const left = ['swap/old/x', 'input', 'status.json'].map((name) => there(`tasks/${ID}/${name}`))
    expect(left).toEqual([true, false, false])
    rmSync(join(folders.state, `tasks/${ID}/swap`), { recursive: true })
    expect([settleNameless(folders, ID), there(`tasks/${ID}`)]).toEqual([true, false])
  })

  it('is found where its script wrote it', () => {
    expect(scriptFile(folders, ID, 'pid')).toBe(join(taskFolder(folders, ID), 'pid'))
    put(`work/${ID}/pid`, '1')
    expect(readFileSync(scriptFile(folders, ID, 'pid'), 'utf8')).toBe('1')
  })
})

it('endings are counted by kind and status', () => {
  const endings = new TaskEndings()
  const end = (kind: string, status: Task['status']) => endings.add({ ...(task(status) as Task), kind })
  end('a', 'completed')
  end('a', 'completed')
  end('a', 'failed')
  end('b', 'completed')
  expect(endings.all()).toEqual([
    { kind: 'a', status: 'completed', count: 2 },
    { kind: 'a', status: 'failed', count: 1 },
    { kind: 'b', status: 'completed', count: 1 },
  ])
})
