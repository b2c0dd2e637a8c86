// What a cancel kills, and when. What is killed one by one can still act between two kills, and a number that was
// looked at can be gone or somebody else's a moment later; so here the processes change just then.
import { spawn } from 'node:child_process'
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect } from 'vitest'
import { Appliance, ended, installation, isAlive, removeTemporary, shells, temporaryFolder, until } from './harness.ts'
import { inTurn } from './pairwise.ts'

afterAll(removeTemporary)

/** A script with a `kill` that writes down what it is asked for, and does more after that. */
const probe = (more: string) => {
  const folder = temporaryFolder()
  for (const name of ['lib.sh', 'processes.sh', 'hook.sh', 'memory-image.sh'])
    symlinkSync(join(installation(), 'scripts', name), join(folder, name))
  const file = join(folder, 'probe.sh')
  const text = `#!/bin/sh
LOCK=probe
. "$(dirname -- "$0")/lib.sh"
kill() {
  shift
  printf '%s\\n' "$*" >>"$TASK/killed"
  command kill -s "$@"
  ${more}
}
run() { :; }
main "$@"
`
  writeFileSync(file, text)
  chmodSync(file, 0o755)
  return file
}
const children = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
const startOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19]
const BOOT = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()

describe.each(shells())('a cancel under $name', (shell) => {
  const it = inTurn(shell.name)
  /** A leader and its two children, in a task's record. */
  async function running(box: Appliance, body = 'sleep 300 & sleep 300 & wait') {
    const id = box.create('probe')
    const leader = spawn('sh', ['-c', body], { detached: true, stdio: 'ignore' })
    const pid = leader.pid!
    await until('two children', () => children(pid).length === 2)
    writeFileSync(box.task(id, 'pid'), `${pid} ${startOf(pid)} ${BOOT}\n`)
    return { id, pid, all: [String(pid), ...children(pid)], gone: ended(leader) }
  }
  const killed = (box: Appliance, id: string) =>
    readFileSync(box.task(id, 'killed'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' '))

  it('stops everybody before it kills anybody', async () => {
    const box = new Appliance(shell)
    const { id, all, gone } = await running(box)
    expect(await box.act(id, 'cancel', {}, probe(':'))).toBe(0)
    await gone
    const asked = killed(box, id)
    expect(asked[0]?.sort()).toEqual(['STOP', ...all].sort())
    const first = asked.findIndex(([signal]) => signal === 'KILL')
    expect(asked[first]?.sort()).toEqual(['KILL', ...all].sort())
    expect(asked.slice(first).some(([signal]) => signal === 'STOP')).toBe(false)
    expect(box.status(id).status).toBe('cancelled')
  })

  it('ends the others when the leader is gone between two looks', async () => {
    const box = new Appliance(shell)
    const { id, pid, all, gone } = await running(box)
    const reap = `command kill -s KILL ${pid}; while [ -e /proc/${pid} ]; do sleep 0.02; done`
    expect(await box.act(id, 'cancel', {}, probe(reap))).toBe(0)
    await gone
    expect(all.filter(isAlive)).toEqual([])
  })

  it('leaves a session alone whose leader has the number and not the age', async () => {
    const box = new Appliance(shell)
    const { id, pid, all, gone } = await running(box)
    writeFileSync(box.task(id, 'pid'), `${pid} ${Number(startOf(pid)) + 1} ${BOOT}\n`)
    expect(await box.act(id, 'cancel', {}, probe(':'))).toBe(0)
    expect(all.filter(isAlive)).toEqual(all)
    process.kill(-pid, 'SIGKILL')
    await gone
  })

  it('finds a process whatever its name is', async () => {
    const box = new Appliance(shell)
    const folder = temporaryFolder()
    const odd = join(folder, 'a)\n1 (b) S 1 1')
    writeFileSync(odd, '#!/bin/sh\nsleep 300 & wait\n', { mode: 0o755 })
    const { id, all, gone } = await running(box, `'${odd}' & sleep 300 & wait`)
    expect(await box.act(id, 'cancel', {}, probe(':'))).toBe(0)
    await gone
    expect(all.filter(isAlive)).toEqual([])
  })

  it('ends what an older cancel left hanging', async () => {
    const box = new Appliance(shell)
    const { id, pid, all, gone } = await running(box)
    writeFileSync(box.task(id, 'ending'), readFileSync(box.task(id, 'pid')))
    writeFileSync(box.task(id, 'pid'), `${pid} 1 ${BOOT}\n`)
    expect(await box.act(id, 'cancel', {}, probe(':'))).toBe(0)
    await gone
    expect(all.filter(isAlive)).toEqual([])
  })
})
