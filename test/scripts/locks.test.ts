// SEC-35: a lock is the kernel's, and a task's own record says who held it: pid, start time and boot id. The trap: a test of what must not be
// killed is green when nothing is ever killed; so the right record is shown to end its holder.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Appliance, ended, FIXTURES, removeTemporary, shells, until } from './harness.ts'

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
})
