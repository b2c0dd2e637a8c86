// What a cancel kills, and in which order. The trap: the order of numbers is nearly always the right one by itself (a script is older than what
// it started), so here the script is the process that would come last.
import { spawn } from 'node:child_process'
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Appliance, ended, installation, removeTemporary, shells, temporaryFolder, until } from './harness.ts'

afterAll(removeTemporary)

/** lib.sh, with a `kill` that writes down whom it ends. */
const PROBE = `#!/bin/sh
LOCK=probe
. "$(dirname -- "$0")/lib.sh"
kill() { printf '%s\\n' "$2" >>"$TASK/killed"; command kill "$@"; }
run() { :; }
recover() { :; }
main "$@"
`
const children = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
const startOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19]

describe.each(shells())('a cancel under $name', (shell) => {
  it('ends the script before what the script started', async () => {
    const box = new Appliance(shell)
    const folder = temporaryFolder()
    symlinkSync(join(installation(), 'scripts/lib.sh'), join(folder, 'lib.sh'))
    const probe = join(folder, 'probe.sh')
    writeFileSync(probe, PROBE)
    chmodSync(probe, 0o755)
    const id = box.create('probe')

    const leader = spawn('sh', ['-c', 'sleep 300 & sleep 300 & wait'], { detached: true, stdio: 'ignore' })
    const gone = ended(leader)
    const pid = leader.pid!
    await until('two children', () => children(pid).length === 2)
    const all = [String(pid), ...children(pid)].sort()
    const script = all.at(-1)!
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    writeFileSync(box.task(id, 'pid'), `${pid} ${startOf(pid)} ${boot}\n`)
    writeFileSync(box.task(id, 'writers'), `${script}\n`)

    expect(await box.act(id, 'cancel', {}, probe)).toBe(0)
    await gone
    const killed = readFileSync(box.task(id, 'killed'), 'utf8').trim().split('\n')
    expect(killed[0]).toBe(script)
    expect([...new Set(killed)].sort()).toEqual(all)
    expect(box.status(id).status).toBe('cancelled')
  })
})
