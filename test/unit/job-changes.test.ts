// Changes of jobs, and cursors into them. A reader that breaks off anywhere and comes back, to this server or to the
// next, must end with the same views as one that stayed; so that is what the property says.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { JobChanges } from '../../src/features/jobs/changes.ts'
import type { Folders } from '../../src/folders.ts'
import { type Task, taskFolder } from '../../src/tasks/task.ts'

const made: string[] = []
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
})
function place(): Folders {
  const root = mkdtempSync(join(tmpdir(), 'edge-admin-changes-'))
  made.push(root)
  return { root, sysconf: root, data: root, state: root }
}
const put = (folders: Folders, id: string, status: Task['status'], progress = 0) => {
  const task: Task = { id, kind: 'k', status, progress, message: '', created_at: 'then' }
  mkdirSync(taskFolder(folders, id), { recursive: true })
  writeFileSync(join(taskFolder(folders, id), 'status.json'), JSON.stringify(task))
}
const remove = (folders: Folders, id: string) => rmSync(taskFolder(folders, id), { recursive: true })
const show = ({ id, status, progress }: Task) => ({ id, status, progress })
const name = (i: number) => `20260101T${String(i).padStart(9, '0')}Z-0`

describe('changes', () => {
  it('are what is different since the last look, one for each job', () => {
    const folders = place()
    const changes = new JobChanges(folders, show)
    expect([changes.look(), changes.cursor()]).toEqual([[], '0'])
    put(folders, name(1), 'running')
    mkdirSync(taskFolder(folders, name(2)))
    expect(changes.look()).toEqual([
      {
        view: `{"id":"${name(1)}","status":"running","progress":0}`,
        cursor: expect.stringMatching(`^${name(1)};${name(1)}~[\\w-]{6}$`),
      },
    ])
    expect(changes.look()).toEqual([])
    put(folders, name(1), 'completed', 100)
    put(folders, name(2), 'failed')
    expect(changes.look().map(({ cursor }) => cursor)).toEqual([
      expect.stringMatching(`^${name(2)};${name(2)}~`),
      name(2),
    ])
  })

  it('cannot be told after a gap: a job of the cursor is gone, or it names none', () => {
    const folders = place()
    for (const i of [1, 2]) put(folders, name(i), 'running')
    const changes = new JobChanges(folders, show)
    changes.look()
    const cursor = changes.cursor()
    expect([changes.since(cursor), changes.since('0')]).toEqual([[], changes.all()])
    expect(changes.since(`${name(1)};${name(1)}~`)).toHaveLength(2)
    for (const wrong of [
      '',
      'x',
      '0;',
      `${name(3)}`,
      `${cursor};${name(3)}~`,
      `${cursor};${name(1)}`,
      '../..',
      `${cursor}\n`,
      ';',
    ])
      expect([wrong, changes.since(wrong)]).toEqual([wrong, undefined])
    remove(folders, name(1))
    changes.look()
    expect(changes.since(cursor)).toBeUndefined()
    for (let i = 3; i < 40; i++) put(folders, name(i), 'running')
    changes.look()
    // Too many to name.
    expect(changes.cursor()).toBe('')
  })

  const step = fc.record({
    job: fc.nat(7),
    status: fc.constantFrom(
      'pending',
      'running',
      'completed',
      'failed',
      'interrupted',
      'gone',
      'new',
      'new',
      'restart',
      'breaks',
    ),
    progress: fc.nat(100),
  })
  it('reach a reader that breaks off and comes back, through restarts of the server', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const folders = place()
        let changes = new JobChanges(folders, show)
        changes.look()
        const states = new Map<string, string>()
        let next = 0
        let seen = new Map<string, string>()
        let cursor = '0'
        let away = false
        const hear = (view: string) => seen.set(JSON.parse(view).id, view)
        const comeBack = () => {
          changes.look()
          const missed = changes.since(cursor)
          if (!missed) seen = new Map()
          for (const view of missed ?? changes.all()) hear(view)
          cursor = changes.cursor()
          away = false
        }
        for (const { job, status, progress } of steps) {
          const id = [...states.keys()][job]
          if (status === 'restart') {
            changes = new JobChanges(folders, show)
            away = true
          } else if (status === 'breaks') away = true
          else if (status === 'new') {
            states.set(name(++next), 'pending')
            put(folders, name(next), 'pending')
          } else if (id && status === 'gone') {
            // Only what has ended is ever removed.
            if (!/ed$/.test(states.get(id) ?? '')) continue
            states.delete(id)
            remove(folders, id)
          } else if (id && status !== 'gone' && !/ed$/.test(states.get(id) ?? '')) {
            states.set(id, status)
            put(folders, id, status, progress)
          }
          if (away && progress % 3 === 0) comeBack()
          else if (!away && progress % 2 === 0)
            for (const change of changes.look()) {
              hear(change.view)
              cursor = change.cursor
            }
        }
        comeBack()
        // It may still hold what was removed since; of all that is there it has the present view.
        const present = changes.all()
        expect(present.map((view) => seen.get(JSON.parse(view).id))).toEqual(present)
        expect(present).toHaveLength(states.size)
      }),
      { numRuns: 100 },
    )
  })
})
