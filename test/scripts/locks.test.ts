// SEC-35: a lock is the kernel's, and a task's own record says who held it: pid, start time and boot id. A test of what
// must not be killed is green when nothing is ever killed; so the right record is shown to end its holder.
import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect } from 'vitest'
import { Appliance, ended, FIXTURES, installation, removeTemporary, shells, temporaryFolder, until } from './harness.ts'
import { inTurn } from './pairwise.ts'

afterAll(removeTemporary)

const BOOT = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
const SUCCESS = '{"status":"success","percentage":100}\n'
/** Fields of /proc/PID/stat behind the name, counted from 0: 3 is the session, 19 the start time. */
const fields = (pid: number) =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
const sessionOf = (pid: number) => Number(fields(pid)[3])
const startOf = (pid: number) => Number(fields(pid)[19])

describe.each(shells())('SEC-35 a lock under $name', (shell) => {
  const it = inTurn(shell.name)
  let box: Appliance
  const bystanders: ChildProcess[] = []
  beforeEach(() => {
    box = new Appliance(shell)
  })
  afterEach(() => {
    for (const one of bystanders.splice(0)) one.kill('SIGKILL')
  })
  /** Somebody else's process, the leader of a session. */
  const bystander = async () => {
    const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
    bystanders.push(child)
    await until('it has a session', () => sessionOf(child.pid!) === child.pid)
    return child
  }
  const give = () => writeFileSync(box.uploads('software_package-zzz.enc'), readFileSync(join(FIXTURES, 'pkg_ok.enc')))
  const update = async () => {
    give()
    const { task, log } = await box.run('update')
    expect(task.status, log).toBe('completed')
    expect(box.read(box.etc('status_update.json'))).toBe(SUCCESS)
    writeFileSync(box.etc('version.txt'), '1.2.3\n')
  }
  /** A task that hangs in the middle, with its lock. */
  const holder = async () => {
    give()
    const id = box.create('update')
    const child = box.start(id, 'run', { EDGE_FAULT: 'update-decrypted=hang' })
    const end = ended(child)
    await until('it holds its lock', () => box.read(box.etc('status_update.json'))?.includes(':40') === true)
    return { id, child, end }
  }

  it('has a record of its holder: session, start time and boot', async () => {
    const { id, child, end } = await holder()
    expect(box.read(box.task(id, 'pid'))).toBe(`${sessionOf(child.pid!)} ${startOf(child.pid!)} ${BOOT}\n`)
    expect(box.lockIsFree('update')).toBe(false)
    await box.act(id, 'cancel')
    await end
  })

  it('is taken over at once after kill -9, before anybody has recovered the dead', async () => {
    const { id, child, end } = await holder()
    child.kill('SIGKILL')
    expect(await end).toBe('SIGKILL')
    // What it had started dies with its pipes; the lock is free as soon as nobody has it open.
    await until('the lock is free', () => box.lockIsFree('update'))
    expect(existsSync(box.task(id, 'pid'))).toBe(true)
    await update()
  })

  it('is taken over from a leftover of the dead: recover ends what still has the lock open', async () => {
    const { id, child, end } = await holder()
    // As a program that the task had started, in its session, with the lock inherited.
    const script = 'exec 9>>"$0"; flock 9; while :; do sleep 1; done'
    child.kill('SIGKILL')
    await end
    await until('the lock is free', () => box.lockIsFree('update'))
    const left = spawn('sh', ['-c', script, join(box.state, 'locks/update.lock')], { detached: true, stdio: 'ignore' })
    bystanders.push(left)
    await until('the leftover has the lock', () => !box.lockIsFree('update'))
    writeFileSync(box.task(id, 'pid'), `${left.pid} ${startOf(left.pid!)} ${BOOT}\n`)
    const gone = ended(left)
    await box.act(id, 'recover')
    expect(await gone).toBe('SIGKILL')
    expect(box.status(id).status).toBe('interrupted')
    await update()
  })

  it.each<[string, (pid: number) => string]>([
    ['of another boot', (pid) => `${pid} ${startOf(pid)} 00000000-0000-0000-0000-000000000000\n`],
    ['of a process whose number is in use again', (pid) => `${pid} ${startOf(pid) - 1} ${BOOT}\n`],
    ['that is cut short', (pid) => `${pid}\n`],
    ['without a boot id', (pid) => `${pid} ${startOf(pid)}\n`],
    ['that is garbage', () => '\0\0\0\0'],
    ['that is empty', () => ''],
  ])('is taken over, and no stranger is harmed by a record %s', async (_, record) => {
    const stranger = await bystander()
    const { id, child, end } = await holder()
    child.kill('SIGKILL')
    await end
    await until('the lock is free', () => box.lockIsFree('update'))
    writeFileSync(box.task(id, 'pid'), record(stranger.pid!))
    expect(await box.act(id, 'recover')).toBe(0)
    expect(box.status(id).status).toBe('interrupted')
    expect([stranger.exitCode, stranger.signalCode]).toEqual([null, null])
    expect(existsSync(`/proc/${stranger.pid}/stat`)).toBe(true)
    await update()
  })

  it.each<[string, () => void]>([
    ['a pid that is alive', () => writeFileSync(join(box.state, 'locks/update.lock'), `${process.pid}\n`)],
    ['a pid of another boot', () => writeFileSync(join(box.state, 'locks/update.lock'), '4711 0 no-such-boot\n')],
    [
      'the record and status of a task that never ended',
      () => {
        const id = box.create('update')
        writeFileSync(box.task(id, 'pid'), `1 0 ${BOOT}\n`)
        writeFileSync(box.task(id, 'status.json'), `{"id":"${id}","kind":"update","status":"running","progress":40}\n`)
      },
    ],
    ['the lock files of the original', () => mkdirSync(join(box.root, 'tmp/update.task'))],
  ])('is not held by a stale file with %s', async (_, leave) => {
    leave()
    await update()
    rmSync(join(box.root, 'tmp/update.task'), { recursive: true, force: true })
  })

  describe('of one dataset', () => {
    const DATASET = `#!/bin/sh
LOCK=dataset-own
. "$(dirname -- "$0")/lib.sh"
run() { finish completed; }
recover() { echo recovers >>"$TASK/did"; }
main "$@"
`
    const probe = () => {
      const folder = temporaryFolder()
      for (const name of ['lib.sh', 'processes.sh', 'hook.sh', 'memory-image.sh'])
        symlinkSync(join(installation(), 'scripts', name), join(folder, name))
      writeFileSync(join(folder, 'probe.sh'), DATASET)
      chmodSync(join(folder, 'probe.sh'), 0o755)
      return join(folder, 'probe.sh')
    }
    const lock = (name: string) => join(box.state, 'locks', `${name}.lock`)
    /** Another process that has it. */
    const hold = async (name: string) => {
      const child = spawn('flock', [lock(name), 'sleep', '60'], { detached: true, stdio: 'ignore' })
      bystanders.push(child)
      await until('it is held', () => !box.lockIsFree(name))
      return async () => {
        process.kill(-child.pid!, 'SIGKILL')
        await ended(child)
      }
    }

    it('goes once nobody has had it for a day, by the next task of another', async () => {
      for (const name of ['dataset-own', 'dataset-old', 'dataset-held', 'dataset-new', 'backup'])
        writeFileSync(lock(name), '')
      const old = Date.now() / 1000 - 2 * 86_400
      for (const name of ['dataset-own', 'dataset-old', 'dataset-held', 'backup']) utimesSync(lock(name), old, old)
      const release = await hold('dataset-held')
      const id = box.create('probe')
      expect(await box.act(id, 'run', {}, probe()), box.read(box.task(id, 'log'))).toBe(0)
      expect(box.status(id).status).toBe('completed')
      expect(readdirSync(join(box.state, 'locks')).sort()).toEqual(
        ['backup', 'dataset-held', 'dataset-new', 'dataset-own'].map((name) => `${name}.lock`),
      )
      await release()
    })

    it('goes alone: no name in the folder is read as a path that stands in it', async () => {
      const victim = join(temporaryFolder(), 'victim')
      const old = Date.now() / 1000 - 2 * 86_400
      const trap = join(box.state, 'locks/x\n', `${victim}\n`, 'dataset-a.lock')
      mkdirSync(join(trap, '..'), { recursive: true })
      for (const file of [victim, trap]) {
        writeFileSync(file, '')
        utimesSync(file, old, old)
      }
      const id = box.create('probe')
      expect(await box.act(id, 'run', {}, probe()), box.read(box.task(id, 'log'))).toBe(0)
      expect(existsSync(victim)).toBe(true)
    })

    it('that went while a task waited for it locks nobody out: the task waits for the one that is there now', async () => {
      const release = await hold('dataset-own')
      const id = box.create('probe')
      const script = box.start(id, 'recover', {}, probe())
      const end = ended(script)
      const inodeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.ino
      const before = inodeOf(lock('dataset-own'))
      await until('it waits', () => inodeOf(`/proc/${script.pid}/fd/9`) === before)
      rmSync(lock('dataset-own'))
      const releaseNew = await hold('dataset-own')
      await release()
      const now = inodeOf(lock('dataset-own'))
      await until(
        'it waits for the new one',
        () => inodeOf(`/proc/${script.pid}/fd/9`) === now || script.exitCode !== null,
      )
      expect(box.read(box.task(id, 'did'))).toBeUndefined()
      await releaseNew()
      expect(await end).toBe(0)
      expect(box.read(box.task(id, 'did'))).toBe('recovers\n')
    })
  })
})
