// `persist`: the tool of an image that runs from memory, called before a task has its final status. For as long the
// task has its lock, and another task waits for its turn with the tool.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect } from 'vitest'
import { inTurn } from './pairwise.ts'
import { Sandbox, SHELLS } from './sandbox.ts'

const open: Sandbox[] = []
afterEach(() => {
  for (const made of open.splice(0)) made.remove()
})

const LIMIT = { env: { EDGE_HOOK_SECONDS: '1' } }

/** Whether some process has this in its command line. */
const runs = (text: string) =>
  readdirSync('/proc').some((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text)
    } catch {
      return false
    }
  })

describe.each(SHELLS)('persist under %s', (shell) => {
  const test = inTurn(shell)
  function make(tool: string): Sandbox {
    const made = new Sandbox(shell)
    open.push(made)
    made.program(join(made.net, 'usr/bin/symlinktool.sh'), `echo "$*" >>'${made.folder}/calls'\n${tool}`)
    made.write('net/etc/sysconfig/backup_device', 'sda1/\n')
    return made
  }

  test('calls the tool, which has none of our locks', () => {
    const made = make(`ls -l /proc/$$/fd | grep locks/ >>"\${0%/net/*}/seen"; :`)
    const ended = made.run('persist')
    expect([ended.status.status, made.read('calls'), made.read('seen')], ended.log).toEqual([
      'completed',
      '-c sda1\n-r sda1\n',
      '',
    ])
  })

  test.each(['sda1/\r\n', 'sda1/ \r\n', 'sda1\r', '\ufeffsda1/\r\nsecond\r\n', ' sda1 \n'])(
    'takes the name of the device as it was meant: %j',
    (text) => {
      const made = make(':')
      made.write('net/etc/sysconfig/backup_device', text)
      expect([made.run('persist').status.status, made.read('calls')]).toEqual(['completed', '-c sda1\n-r sda1\n'])
    },
  )

  test.each(['', '\r\n', '\ufeff\r\n', '\nsda1\n'])(
    'calls nothing for a first line that names no device: %j',
    (text) => {
      const made = make(':')
      made.write('net/etc/sysconfig/backup_device', text)
      expect([made.run('persist').status.status, made.read('calls')]).toEqual(['completed', undefined])
    },
  )

  test('ends a tool that hangs, with what it started, and says so', () => {
    const made = make(`setsid sleep 23.4${process.pid}`)
    const began = Date.now()
    const ended = made.run('persist', LIMIT)
    expect(Date.now() - began).toBeLessThan(15_000)
    expect(ended.log).toContain('symlinktool.sh took longer than 1 seconds, and was ended')
    expect([ended.status.status, made.read('calls')]).toEqual(['failed', '-c sda1\n'])
    expect(runs(`23.4${process.pid}`)).toBe(false)
    expect(readdirSync(ended.task).filter((name) => /late|limit/.test(name))).toEqual([])
    // Nothing has kept its turn.
    made.program(join(made.net, 'usr/bin/symlinktool.sh'), ':')
    expect(made.run('persist', LIMIT).status.status).toBe('completed')
  })

  test('does not wait for ever for its turn', async () => {
    const made = make(':')
    mkdirSync(join(made.state, 'locks'), { recursive: true })
    const lock = join(made.state, 'locks/memory-image.lock')
    const other = spawn('flock', [lock, 'timeout', '20', 'sh', '-c', 'echo held; exec cat'], { stdio: 'pipe' })
    const gone = once(other, 'exit')
    await once(other.stdout, 'data')
    const began = Date.now()
    const ended = made.run('persist', LIMIT)
    expect(Date.now() - began).toBeLessThan(15_000)
    expect(ended.log).toContain('another task has kept symlinktool.sh for 1 seconds')
    expect([ended.status.status, made.read('calls')]).toEqual(['failed', undefined])
    // Nor does what puts files in place between two saves.
    const inputs = {
      'app.json': '{}',
      'network.json': '{}',
      'network.conf': 'mode=dhcp\ninterface=ea0\nhostname="a"\n',
    }
    made.hook('network', ':')
    const settings = made.run('settings', { ...LIMIT, args: ['dhcp'], inputs })
    expect(Date.now() - began).toBeLessThan(18_000)
    expect(settings.status.status, settings.log).toBe('completed')
    expect(settings.log).toContain('the state could not be made persistent')
    other.stdin.end()
    await gone
    expect(made.run('persist', LIMIT).status.status).toBe('completed')
  })
})
