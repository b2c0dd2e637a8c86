// What the server does for a task, tried with scripts of a few lines. A script that ends without a final status leaves a task that died, and the
// server calls it again with `recover`.
import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Folders } from '../../src/folders.ts'
import { isHeld } from '../../src/store/lock.ts'
import { whyItEnded } from '../../src/tasks/last-words.ts'
import { hasPendingAudit, type PendingAudit, savePendingAudit } from '../../src/tasks/pending-audit.ts'
import { lockFile, type Task, taskFolder } from '../../src/tasks/task.ts'
import { Tasks, type TasksOptions } from '../../src/tasks/tasks.ts'
import { until } from '../api/client.ts'
import { newTaskId, putTask } from '../api/task-files.ts'

const by = { name: 'test', address: '127.0.0.1' }
const owed: PendingAudit = { event: 'x', target: 'y', actor: 'admin', address: 'local' }
let temp: string
let folders: Folders
let warned: string[]
let ended: Task[]
const made: Tasks[] = []
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'edge-admin-tasks-'))
  const at = (name: string) => join(temp, name)
  folders = { root: at('root'), sysconf: at('sysconf'), data: at('data'), state: at('state') }
  for (const folder of ['root', 'scripts']) mkdirSync(at(folder))
  warned = []
  ended = []
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  delete process.env['EDGE_FAULT']
  for (const tasks of made.splice(0)) tasks.close()
  rmSync(temp, { recursive: true, force: true })
})

function create(more: Partial<TasksOptions> = {}): Tasks {
  const tasks = new Tasks({
    folders,
    scripts: join(temp, 'scripts'),
    privilege: 'none',
    environment: {},
    longest: 60,
    onEnd: (task) => ended.push(task),
    warn: (text) => warned.push(text),
    ...more,
  })
  made.push(tasks)
  return tasks
}
/** `say STATUS` writes the task's status; what is not given does nothing. */
function script(kind: string, { run = ':', recover = ':', cancel = ':' } = {}, mode = 0o755): void {
  const say = `say() { printf '{"id":"%s","kind":"${kind}","status":"%s","progress":5,"message":"said","created_at":"then"}' "\${task##*/}" "$1" >"$task/next" && mv "$task/next" "$task/status.json"; }`
  const text = `#!/bin/sh\naction=$1 task=$2\n${say}\ncase $action in\nrun) ${run} ;;\nrecover) ${recover} ;;\ncancel) ${cancel} ;;\nesac\n`
  writeFileSync(join(temp, 'scripts', `${kind}.sh`), text, { mode })
}
const errorOf = (code: string) => Object.assign(new Error(code), { code })
const ids = () => readdirSync(join(folders.state, 'tasks')).sort()
const jsonOf = (id: string, name: string) => JSON.parse(readFileSync(join(taskFolder(folders, id), name), 'utf8'))
const open = (name: string) => join(folders.root, name)
/** Waits in a script until the test lets it go on, or is over. */
const wait = (name: string) => `until [ -e "$EDGE_ROOT/${name}" ] || [ ! -d "$EDGE_ROOT" ]; do sleep 0.02; done`
const letGo = (name: string) => writeFileSync(open(name), '')

/** Another process has the lock until it is told to end. */
async function hold(lock: string): Promise<() => Promise<void>> {
  const file = lockFile(folders, lock)
  const holder = spawn('flock', [file, 'sleep', '600'], { stdio: 'ignore', detached: true })
  await until('the lock is held', () => isHeld(file))
  return async () => {
    if (holder.pid) process.kill(-holder.pid, 'SIGKILL')
    await until('it is free', () => isHeld(file) === false)
  }
}

describe('a task', () => {
  it('finds the folders, the number of the contract and what it is given in its environment, and nothing else', async () => {
    script('work', { run: `tr '\\0' '\\n' </proc/self/environ >"$EDGE_ROOT/found"; say completed` })
    const tasks = create({ environment: { EDGE_X: 'x' } })
    await tasks.wait((await tasks.start('work', { by }))!.id)
    const lines = readFileSync(open('found'), 'utf8').split('\n')
    // Some shells add these by themselves.
    const found = lines.filter((line) => line && !/^(PWD|OLDPWD|SHLVL|_)=/.test(line)).sort()
    expect(found).toEqual([
      'EDGE_CONTRACT=1',
      `EDGE_DATADIR=${folders.data}`,
      `EDGE_ROOT=${folders.root}`,
      `EDGE_STATEDIR=${folders.state}`,
      `EDGE_SYSCONFDIR=${folders.sysconf}`,
      'EDGE_X=x',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    ])
  })

  it('is written down with what it was asked for, and runs with just that, in a group of its own', async () => {
    script('work', {
      run: `cat /proc/self/stat >"$EDGE_ROOT/stat"; printf '%s|' "$@" "$EDGE_X" "$HOME" >"$EDGE_ROOT/said"; say completed`,
    })
    const tasks = create({ environment: { EDGE_X: 'x' } })
    writeFileSync(open('file'), 'a file', { mode: 0o644 })
    let prepared = 0
    const task = await tasks.start('work', {
      lock: 'a-lock',
      args: ['one', 'two three'],
      inputs: { secret: { text: 'a text' }, package: { file: open('file') } },
      by,
      prepare: () => {
        prepared += 1
        const input = join(taskFolder(folders, ids()[0] ?? ''), 'input')
        const found = readdirSync(input).map((name) => [
          name,
          readFileSync(join(input, name), 'utf8'),
          statSync(join(input, name)).mode & 0o777,
        ])
        expect(found).toEqual([
          ['package', 'a file', 0o600],
          ['secret', 'a text', 0o600],
        ])
      },
      endless: true,
    })
    const { id = '', created_at = '' } = task ?? {}
    expect(prepared).toBe(1)
    expect(task).toEqual({ id, kind: 'work', status: 'pending', progress: 0, message: 'waiting', created_at })
    expect(created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(jsonOf(id, 'request.json')).toEqual({
      ...{ id, kind: 'work', lock: 'a-lock', args: ['one', 'two three'], by, created_at, endless: true },
    })
    expect([tasks.isRunning('a-lock'), tasks.isClaimed('a-lock'), tasks.isFree('a-lock')]).toEqual([true, true, false])
    expect([tasks.isRunning('work'), tasks.isClaimed('work'), tasks.isFree('work')]).toEqual([false, false, true])
    expect((await tasks.wait(id))?.status).toBe('completed')
    expect(tasks.isClaimed('a-lock')).toBe(false)
    // Nor is it remembered as one that runs.
    await vi.waitFor(() => expect((tasks as unknown as { live: Map<string, unknown> }).live.size).toBe(0))
    expect(readFileSync(open('said'), 'utf8')).toBe(`run|${taskFolder(folders, id)}|one|two three|x||`)
    // Fields of proc(5), behind the name: state, parent, process group, session.
    const [, , group, session] = readFileSync(open('stat'), 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    expect(group).toBe(session)
    expect(group).not.toBe(
      readFileSync('/proc/self/stat', 'utf8')
        .replace(/^.*\) /, '')
        .split(' ')[2],
    )
    expect(ended.map((one) => [one.id, one.status])).toEqual([[id, 'completed']])
  })

  it('leaves nothing when it cannot be made, and its lock is free', async () => {
    script('work')
    const tasks = create()
    const start = () => tasks.start('work', { by, inputs: { package: { file: open('not-there') } } })
    await expect(start()).rejects.toThrow(/ENOENT/)
    expect([ids(), tasks.isFree('work')]).toEqual([[], true])
    writeFileSync(open('file'), 'x')
    const none = () => tasks.start('none', { by, inputs: { package: { file: open('file') } } })
    await expect(none()).rejects.toThrow('The script for this is not installed')
    // What was received is there for another try.
    expect(readFileSync(open('file'), 'utf8')).toBe('x')
    expect(ids()).toEqual([])
  })

  it.each(['ENOSPC', 'EDQUOT'])('that finds no room (%s) says so, and leaves nothing', async (code) => {
    script('work', { run: 'say completed' })
    const full = () => {
      throw Object.assign(new Error('no space left'), { code })
    }
    const start = () => create().start('work', { by, prepare: full })
    await expect(start()).rejects.toThrow(
      expect.objectContaining({ kind: 'no-space', message: 'Not enough free disk space' }),
    )
    expect(ids()).toEqual([])
  })

  it.each(['task-folder', 'task-made', 'task-given', 'task-prepared'])(
    'that fails at %s leaves nothing',
    async (step) => {
      script('work')
      const tasks = create()
      process.env['EDGE_FAULT'] = `${step}=error`
      await expect(tasks.start('work', { by })).rejects.toThrow(`fault at ${step}`)
      expect([ids(), tasks.isClaimed('work')]).toEqual([[], false])
    },
  )

  it('has the newest id, also in the same millisecond and when the clock was set back', async () => {
    script('work', { run: 'say completed' })
    const tasks = create()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-01-02T03:04:05.678Z') })
    mkdirSync(taskFolder(folders, 'zzz-of-somebody'), { recursive: true })
    putTask(folders, '20260102T030405678Z-ffffffff', 'completed')
    const stamps = ['20260102T030405679Z', '20260102T030405680Z']
    for (const [i, stamp] of stamps.entries())
      expect((await tasks.start('work', { by, lock: `lock-${i}` }))?.id).toMatch(new RegExp(`^${stamp}-[0-9a-f]{8}$`))
    vi.setSystemTime(Date.parse('2025-01-01T00:00:00Z'))
    expect((await tasks.start('work', { by, lock: 'lock-2' }))?.id).toMatch(/^20260102T030405681Z-/)
    vi.setSystemTime(Date.parse('2026-01-02T03:04:06Z'))
    expect((await tasks.start('work', { by, lock: 'lock-3' }))?.id).toMatch(/^20260102T030406000Z-/)
  })

  it.each<[string, () => void, string]>([
    [
      'that may not be run',
      () => script('work', {}, 0o644),
      'work.sh cannot be run: permission denied: it has to be executable',
    ],
    [
      'whose interpreter is not here',
      () => writeFileSync(join(temp, 'scripts/work.sh'), '#!/no/such/interpreter\n', { mode: 0o755 }),
      'work.sh cannot be run: it is not there, or the program that its first line names is not',
    ],
    ['that misses a program', () => script('work', { run: 'no-such-program; exit 127' }), 'no-such-program: not found'],
    [
      'that refuses',
      () => script('work', { run: 'echo first; echo "refused: the key" >&2; exit 77' }),
      'refused: the key',
    ],
    [
      'that says nothing',
      () => script('work', { run: 'exit 64' }),
      'work.sh ended with exit status 64 and said nothing',
    ],
    [
      'that writes what only a terminal reads',
      () => script('work', { run: String.raw`printf '\033[31mno \007key\033[0m\r\n\n \n'; exit 1` }),
      'no key',
    ],
    [
      'that writes a long line',
      () => script('work', { run: 'i=0; while [ $i -lt 900 ]; do printf "é12345678"; i=$((i + 1)); done; exit 1' }),
      `${'é12345678'.repeat(34).slice(0, 299)}…`,
    ],
    [
      'that writes a line without end',
      () => script('work', { run: 'i=0; while [ $i -lt 9000 ]; do printf "é12345678"; i=$((i + 1)); done; exit 1' }),
      'what it said last is too long to be shown',
    ],
    [
      'that tells a secret where the line is cut',
      () => script('work', { run: `echo "${'x'.repeat(296)}sesame"; exit 1` }),
      `${'x'.repeat(296)}***…`,
    ],
    ['that tells a secret', () => script('work', { run: 'echo "the key is sesame"; exit 1' }), 'the key is ******'],
  ])('whose script cannot begin fails with what it said last: one %s', async (_name, prepare, message) => {
    prepare()
    const tasks = create({ mask: (line) => line.replace('sesame', '******') })
    const id = (await tasks.start('work', { by, inputs: { secret: { text: 'a key' } } }))?.id ?? ''
    const task = await tasks.wait(id)
    expect(task).toMatchObject({
      status: 'failed',
      error: { code: 'E1000' },
      completed_at: expect.stringMatching(/Z$/),
    })
    if (message.startsWith('no-such')) expect(task?.message).toContain(message)
    else expect(task?.message).toBe(message)
    expect(task?.error?.message).toBe(task?.message)
    expect(task?.started_at).toBeUndefined()
    expect(ended.map((one) => one.status)).toEqual(['failed'])
    expect(existsSync(join(taskFolder(folders, id), 'input'))).toBe(false)
    expect([tasks.isFree('work'), warned]).toEqual([true, []])
    expect(await tasks.start('work', { by })).toBeDefined()
  })

  it('under sudo is told what sudo said, and what that means', async () => {
    const tasks = create({ privilege: 'sudo' })
    // Without a script sudo would not even be asked.
    script('work')
    const task = await tasks.wait((await tasks.start('work', { by }))?.id ?? '')
    expect(task?.status).toMatch(/failed|interrupted/)
    expect(whyItEnded(taskFolder(folders, task?.id ?? ''), '/usr/bin/sudo', { error: errorOf('ENOENT') })).toBe(
      '/usr/bin/sudo cannot be run: it is not there, or the program that its first line names is not',
    )
    writeFileSync(join(taskFolder(folders, task?.id ?? ''), 'log'), 'sudo: a password is required\n')
    expect(whyItEnded(taskFolder(folders, task?.id ?? ''), '/usr/bin/sudo', { code: 1 })).toBe(
      'sudo: a password is required. The sudoers fragment of edge-admin is missing, or names another user',
    )
  })

  it.each([
    ['that left its record', 'echo 1 >"$task/pid"; exit 1'],
    ['that began to put something in place', 'mkdir "$task/swap"; : >"$task/swap/plan.json"; exit 1'],
    ['that was killed', 'kill -9 $$'],
    ['that says it is well', 'exit 0'],
  ])('may have begun, and is recovered: one %s', async (_name, run) => {
    script('work', { run, recover: 'say cancelled' })
    const tasks = create()
    expect((await tasks.wait((await tasks.start('work', { by }))?.id ?? ''))?.status).toBe('cancelled')
  })

  it('that cannot be recovered says why that is', async () => {
    script('work', { run: 'echo "30% working"; say running', recover: 'echo "no such tool" >&2; exit 69' })
    const tasks = create()
    expect(await tasks.wait((await tasks.start('work', { by }))?.id ?? '')).toMatchObject({
      status: 'interrupted',
      error: { code: 'E1000', message: 'no such tool' },
    })
  })

  it.each([
    ['EROFS', 'its file system is read-only'],
    ['EACCES', 'this user may not write there'],
  ])('whose files cannot be written is refused with the reason: %s', async (code, why) => {
    script('work')
    const tasks = create()
    const prepare = () => {
      throw errorOf(code)
    }
    await expect(tasks.start('work', { by, prepare })).rejects.toThrow(
      `The files of the task cannot be written: ${why}`,
    )
    expect([ids(), tasks.isClaimed('work')]).toEqual([[], false])
  })

  it('that ends without a word is recovered once, by the words of its request, whoever asks', async () => {
    script('work', { recover: 'echo "$3" >>"$EDGE_ROOT/recovered"; say cancelled' })
    const id = putTask(folders, newTaskId(), 'running', { kind: 'work' })
    const request = { lock: 'a-lock', args: [1, 'word', null], endless: 'yes' }
    writeFileSync(join(taskFolder(folders, id), 'request.json'), JSON.stringify(request))
    const tasks = create()
    expect(tasks.isDead(tasks.get(id)!)).toBe(true)
    expect(tasks.lockOf(tasks.get(id)!)).toBe('a-lock')
    await Promise.all([tasks.settle(id), tasks.settle(id), tasks.settle(id)])
    expect(readFileSync(open('recovered'), 'utf8')).toBe('word\n')
    expect(ended.map(({ status }) => status)).toEqual(['cancelled'])
    expect(tasks.isDead(tasks.get(id)!)).toBe(false)
    await tasks.settle('nothing')
  })

  it('whose lock is held runs, and one that was recovered into work goes on', async () => {
    script('work', {
      recover: `(flock 9; ${wait('go')}; say completed) 9>"$EDGE_STATEDIR/locks/work.lock" >/dev/null 2>&1 & until ! flock -n "$EDGE_STATEDIR/locks/work.lock" true; do sleep 0.02; done`,
    })
    const tasks = create()
    const id = putTask(folders, newTaskId(), 'running', { kind: 'work' })
    writeFileSync(join(taskFolder(folders, id), 'request.json'), '{}')
    const release = await hold('work')
    expect(tasks.isDead(tasks.get(id)!)).toBe(false)
    await tasks.settle(id)
    expect([ended, tasks.get(id)?.status]).toEqual([[], 'running'])
    await release()
    await tasks.settle(id)
    expect([ended, tasks.get(id)?.status]).toEqual([[], 'running'])
    letGo('go')
    expect((await tasks.wait(id))?.status).toBe('completed')
  })

  it('that is being recovered is still running, and its caller waits for the final status', async () => {
    script('work', {
      recover: `exec 9>>"$EDGE_STATEDIR/locks/work.lock"; flock 9; : >"$EDGE_ROOT/locked"; ${wait('go')}; say failed`,
    })
    const tasks = create()
    const id = putTask(folders, newTaskId(), 'running', { kind: 'work' })
    writeFileSync(join(taskFolder(folders, id), 'request.json'), '{"lock":"work","args":[]}')
    const first = tasks.settle(id)
    await until('it has the lock', () => existsSync(open('locked')))
    expect(tasks.isDead(tasks.get(id)!)).toBe(false)
    const second = tasks.settle(id).then(() => tasks.get(id)?.status)
    letGo('go')
    expect(await second).toBe('failed')
    await first
  })

  it('that died keeps the next one of its lock out until it has an end, and no one of another lock', async () => {
    script('work', { run: 'say completed', recover: `${wait('go')}; say failed` })
    const tasks = create()
    const dead = putTask(folders, newTaskId(), 'running', { kind: 'work' })
    writeFileSync(join(taskFolder(folders, dead), 'request.json'), '{"lock":"work","args":[]}')
    expect(await tasks.start('work', { by })).toBeUndefined()
    expect(await tasks.start('work', { by, lock: 'other' })).toBeDefined()
    letGo('go')
    await until('it has an end', () => tasks.get(dead)?.status === 'failed')
    expect(await tasks.start('work', { by })).toBeDefined()
  })
})

describe('the list of tasks', () => {
  it('has the newest first, as many as asked for, of one kind or of all', async () => {
    const all = ['a', 'b', 'a', 'b'].map((kind) => putTask(folders, newTaskId(), 'completed', { kind })).reverse()
    mkdirSync(taskFolder(folders, 'backup-2025'))
    const tasks = create()
    const names = (found: Task[]) => found.map(({ id }) => id)
    expect(names(tasks.list())).toEqual(all)
    expect(names(tasks.list({ limit: 2 }))).toEqual(all.slice(0, 2))
    expect(names(tasks.list({ kind: 'a' }))).toEqual([all[1], all[3]])
    expect(names(tasks.list({ kind: 'a', limit: 1 }))).toEqual([all[1]])
    expect(names(await tasks.listInTurns(3))).toEqual(all.slice(0, 3))
    // Each takes longer than a slice: everybody else has a turn before the list is whole.
    let now = 0
    vi.spyOn(performance, 'now').mockImplementation(() => {
      now += 100
      return now
    })
    let whole = false
    const listed = tasks.listInTurns(3).then(() => {
      whole = true
    })
    for (let i = 0; i < 100; i++) await Promise.resolve()
    expect(whole).toBe(false)
    await listed
    expect(tasks.latest('b')?.id).toBe(all[0])
    expect(tasks.latest('c')).toBeUndefined()
  })
})

describe('what the audit log is owed', () => {
  it('is entered at the end by itself, and stays owed when it could not be', async () => {
    script('work', { run: 'say completed' })
    const entered: unknown[] = []
    let broken = true
    const onPendingAudit = async (entry: PendingAudit, task: Task, again: boolean) => {
      entered.push([entry, task.status, again])
      if (broken) throw new Error('no room')
    }
    const first = create({ onPendingAudit })
    const id = (await first.start('work', { by: { ...by, entry: owed } }))?.id ?? ''
    await first.wait(id)
    expect([entered, hasPendingAudit(folders, id)]).toEqual([[[owed, 'completed', false]], true])
    expect(warned).toEqual(['the end of a task could not be entered in the audit log'])
    // At the next start: the server before may have been killed after it had entered it.
    broken = false
    await create({ onPendingAudit }).sweep()
    expect([entered[1], hasPendingAudit(folders, id)]).toEqual([[owed, 'completed', true], false])
    await create({ onPendingAudit }).sweep()
    expect(entered).toHaveLength(2)
  })

  it.each(['completed', 'running'])('is entered before a wait for one that is %s ends', async (status) => {
    script('held', { recover: 'say failed' })
    const entered: string[] = []
    const tasks = create({
      onPendingAudit: async (_entry, task) => {
        // Longer than the wait takes between two looks.
        await new Promise((resolve) => setTimeout(resolve, 600))
        entered.push(task.id)
      },
    })
    const id = putTask(folders, newTaskId(), status)
    savePendingAudit(folders, id, owed)
    const release = status === 'running' ? await hold('held') : async () => {}
    const waited = tasks.wait(id)
    await release()
    await waited
    expect(entered).toEqual([id])
  })

  it('is entered by the request that waits, which says when it has, or that it waits no longer', async () => {
    script('work', { run: `${wait('go')}; say completed` })
    const entered: string[] = []
    const tasks = create({ onPendingAudit: async (_entry, task) => void entered.push(task.id) })
    const waits: string[] = []
    const start = async (lock: string) =>
      (await tasks.start('work', { lock, by: { ...by, entry: owed, waits: (id) => waits.push(id) } }))?.id ?? ''
    const [stays, leaves, late] = [await start('a'), await start('b'), await start('c')]
    expect(waits).toEqual([stays, leaves, late])
    expect(tasks.leave(leaves)?.id).toBe(leaves)
    expect(tasks.leave('nothing')).toBeUndefined()
    letGo('go')
    for (const id of waits) await tasks.wait(id)
    // It ended before its request left: that one has its own entry to make.
    expect(tasks.leave(late)?.status).toBe('completed')
    expect(entered).toEqual([leaves])
    expect(waits.map((id) => hasPendingAudit(folders, id))).toEqual([true, false, true])
    tasks.attended(stays)
    expect(hasPendingAudit(folders, stays)).toBe(false)
  })
})

describe('at the start of the server', () => {
  it('what died is given an end, with its secrets gone and its entry made, and what runs is looked after', async () => {
    script('held', { recover: 'say failed' })
    const entered: string[] = []
    const tasks = create({ onPendingAudit: async (_entry, task) => void entered.push(task.id) })
    const [done, left] = [putTask(folders, newTaskId(), 'completed'), putTask(folders, newTaskId(), 'failed')]
    for (const id of [done, left]) {
      mkdirSync(join(taskFolder(folders, id), 'input'))
      tasks.attend(id, owed)
      tasks.leave(id)
    }
    const never = newTaskId()
    mkdirSync(join(taskFolder(folders, never), 'input'), { recursive: true })
    const open = putTask(folders, newTaskId(), 'running')
    mkdirSync(join(taskFolder(folders, open), 'input'))
    const release = await hold('held')
    const next = create({ onPendingAudit: async (_entry, task) => void entered.push(task.id) })
    await next.sweep()
    expect(ids()).toEqual([done, left, open])
    expect(warned).toEqual([`the remains of a task that never began: ${never}`])
    expect([done, left, open].map((id) => existsSync(join(taskFolder(folders, id), 'input')))).toEqual([
      false,
      false,
      true,
    ])
    expect([entered.sort(), ended.length]).toEqual([[done, left], 2])
    // It is not our child: it is looked at from time to time.
    await release()
    await until('it was noticed', () => next.get(open)?.status === 'failed')
    await until('its end was heard of', () => ended.some(({ id }) => id === open))
    expect(existsSync(join(taskFolder(folders, open), 'input'))).toBe(false)
  })
})

describe('a cancel', () => {
  it('waits for the script’s first word, and does nothing to what has ended or is not there', async () => {
    script('work', {
      run: `${wait('speak')}; say running; ${wait('go')}`,
      cancel: 'cat "$task/status.json" >"$EDGE_ROOT/found"; say cancelled; : >"$EDGE_ROOT/go"',
    })
    const tasks = create()
    const id = (await tasks.start('work', { by }))?.id ?? ''
    const looked = vi.spyOn(tasks, 'get')
    const cancelled = tasks.cancel(id)
    // It looks again and again, and asks the script to cancel nothing yet.
    await vi.waitFor(() => expect(looked.mock.calls.length).toBeGreaterThan(4), { timeout: 90_000 })
    letGo('speak')
    expect((await cancelled)?.status).toBe('cancelled')
    expect(readFileSync(open('found'), 'utf8')).toContain('"running"')
    rmSync(open('found'))
    expect((await tasks.cancel(id))?.status).toBe('cancelled')
    expect(existsSync(open('found'))).toBe(false)
    expect(await tasks.cancel('nothing')).toBeUndefined()
  })
})

describe('the next task of a lock', () => {
  it('waits for one that has told its end and only has to let go, not for one that runs', async () => {
    script('work', { run: `say completed; ${wait('go')}` })
    script('slow', { run: `say running; ${wait('go')}; say completed` })
    const tasks = create()
    const first = (await tasks.start('work', { by }))?.id ?? ''
    await tasks.start('slow', { by })
    await until('it told its end', () => tasks.get(first)?.status === 'completed')
    expect(await tasks.startNext('slow', { by })).toBeUndefined()
    expect(await tasks.isAtWork('slow')).toBe(true)
    expect(await tasks.isAtWork('nothing')).toBe(false)
    let started = false
    const next = tasks.startNext('work', { by }).then((task) => {
      started = true
      return task
    })
    const working = tasks.isAtWork('work')
    await new Promise((resolve) => setImmediate(resolve))
    expect(started).toBe(false)
    letGo('go')
    expect((await next)?.id).toBeDefined()
    expect(await working).toEqual(expect.any(Boolean))
  })

  it('is not waited for longer than asked', async () => {
    script('work', { run: `say running; ${wait('go')}; say completed` })
    const tasks = create()
    const id = (await tasks.start('work', { by }))?.id ?? ''
    await tasks.released('work', 0.01)
    expect(tasks.isClaimed('work')).toBe(true)
    await tasks.released('nothing', 600)
    letGo('go')
    await tasks.released('work', 600)
    expect(tasks.isClaimed('work')).toBe(false)
    expect((await tasks.wait(id))?.status).toBe('completed')
  })
})

describe('the word of a task in a status file', () => {
  it('is missing until the file is as new as its request, for whoever asked with that argument', async () => {
    script('work', { run: `${wait('go')}; say completed` })
    const tasks = create()
    const file = open('status')
    expect(tasks.statusIsStale('work', file)).toBe(false)
    const id = (await tasks.start('work', { by, args: ['START', 'x'] }))?.id ?? ''
    const request = join(taskFolder(folders, id), 'request.json')
    const unspoken = (arg?: string) => tasks.statusIsStale('work', file, arg)
    utimesSync(request, 1000, 1000)
    expect([unspoken(), unspoken('START'), unspoken('STOP'), unspoken('x')]).toEqual([true, true, false, false])
    writeFileSync(file, '')
    for (const [time, missing] of [
      [999, true],
      [1000, false],
      [1001, false],
    ] as const) {
      utimesSync(file, time, time)
      expect([time, unspoken()]).toEqual([time, missing])
    }
    utimesSync(file, 999, 999)
    rmSync(request)
    expect(unspoken()).toBe(false)
    letGo('go')
    await tasks.wait(id)
    expect(unspoken()).toBe(false)
  })

  it.each([
    ['failed', {}, true],
    ['interrupted', {}, true],
    ['completed', {}, false],
    ['cancelled', {}, false],
    ['running', {}, false],
    ['failed', { error: { code: 'BUSY', message: 'x' } }, false],
    ['failed', { error: { code: 'E1000', message: 'x' } }, true],
  ])('is missed of one that is %s (%j): %s', (status, more, missed) => {
    const tasks = create()
    const id = putTask(folders, newTaskId(), status, { kind: 'work', ...more })
    const file = open('status')
    const silent = () => tasks.unreportedFailure('work', file)?.id
    expect(silent()).toBe(missed ? id : undefined)
    writeFileSync(file, '')
    utimesSync(join(taskFolder(folders, id), 'request.json'), 1000, 1000)
    for (const [time, older] of [
      [999, true],
      [1000, false],
      [1001, false],
    ] as const) {
      utimesSync(file, time, time)
      expect([time, silent()]).toEqual([time, missed && older ? id : undefined])
    }
    expect(tasks.unreportedFailure('other', file)).toBeUndefined()
    rmSync(join(taskFolder(folders, id), 'request.json'))
    expect(silent()).toBeUndefined()
  })
})

describe('a lock', () => {
  it('that an operator holds runs and is not free, and is claimed by nobody here', async () => {
    const tasks = create()
    expect([tasks.isRunning('held'), tasks.isFree('held')]).toEqual([false, true])
    const release = await hold('held')
    expect([tasks.isRunning('held'), tasks.isFree('held'), tasks.isClaimed('held')]).toEqual([true, false, false])
    expect(await tasks.isAtWork('held')).toBe(true)
    await release()
  })
})
