// Tasks as files, written as scripts write them, so that a test knows every change. One that says it runs and whose
// lock nobody holds is one that died; what is to stay open needs a holder of the lock `held`.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Folders } from '../../src/folders.ts'

let last = 0
export const newTaskId = () => `20260101T00000${String(++last).padStart(4, '0')}Z-0000`

export function putTask(folders: Folders, id: string, status: string, more: object = {}): string {
  const folder = join(folders.state, 'tasks', id)
  mkdirSync(folder, { recursive: true })
  const task = { id, kind: 'held', status, progress: 0, message: '', created_at: '2026-01-01T00:00:00Z', ...more }
  writeFileSync(join(folder, 'request.json'), JSON.stringify({ lock: 'held', args: [] }))
  writeFileSync(join(folder, 'next'), JSON.stringify(task))
  renameSync(join(folder, 'next'), join(folder, 'status.json'))
  return id
}
