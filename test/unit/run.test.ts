// The function that starts programs: its time limit, its output cap, the group that it kills, and where the system refuses to start one.
// Timers are false ones where a limit is asked for to the millisecond; the programs are real.
import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { CommandError, createRun } from '../../src/drivers/run.ts'
import { toolFailure } from '../../src/features/tool-failure.ts'
import { SYSTEM_PATH } from '../../src/folders.ts'
import { until } from '../api/client.ts'

const run = createRun(() => true)
const sh = (script: string, options = {}) => run('/bin/sh', ['-c', script], options)

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** A zombie that nobody has collected yet is gone as well. */
const isAlive = (pid: number) => {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** A program that would run for ten minutes; its output has come, so it has begun. */
async function begun(script: string, options = {}) {
  let text = ''
  const keep = (chunk: Buffer) => {
    text += chunk
  }
  const running = sh(script, { ...options, onOutput: keep })
  running.catch(() => {})
  await vi.waitFor(() => expect(text).toMatch(/^\d+\n$/), { timeout: 90_000 })
  return { running, pid: Number(text) }
}

describe('a program that does not end', () => {
  it.each([
    [undefined, 10_000],
    [300, 300],
    [30_000, 30_000],
    [600_000, 600_000],
  ])('and has a limit of %s ms is killed after %i ms, not before', async (timeout, limit) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: false })
    let text = ''
    const keep = (chunk: Buffer) => {
      text += chunk
    }
    const running = sh('echo $$; exec sleep 600', {
      ...(timeout !== undefined && { timeout }),
      onOutput: keep,
    })
    running.catch(() => {})
    while (!text.endsWith('\n')) await new Promise((resolve) => setImmediate(resolve))
    const kill = vi.spyOn(process, 'kill')
    vi.advanceTimersByTime(limit - 1)
    expect(kill).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(kill).toHaveBeenCalledWith(-Number(text), 'SIGKILL')
    await expect(running).rejects.toMatchObject({ name: 'CommandError', reason: 'timeout' })
  })

  it('is killed with everything that it started', async () => {
    const { running, pid } = await begun('sleep 600 & echo $!; wait', { timeout: 2000 })
    expect(isAlive(pid)).toBe(true)
    await expect(running).rejects.toMatchObject({ reason: 'timeout' })
    await until('the child of the program is gone', () => !isAlive(pid))
  })
})

describe('a program of a vendor that does not end', () => {
  it.each([
    ['left its session', 'setsid sleep 600 & echo $!; wait'],
    ['left its session and its parent', '(setsid sleep 600 & echo $!); sleep 600'],
    ['left its parent and has another environment', '(env -i sleep 600 & echo $!); sleep 600'],
    ['left its session, with another environment', 'setsid env -i sleep 600 & echo $!; wait'],
  ])('is killed with what %s', async (_what, script) => {
    const { running, pid } = await begun(script, { timeout: 2000, foreign: true })
    expect(isAlive(pid)).toBe(true)
    await expect(running).rejects.toMatchObject({ reason: 'timeout' })
    await until('what it started is gone', () => !isAlive(pid))
  })

  it('and stays in the session of its caller is killed alone, with what it started', async () => {
    const { running, pid } = await begun('setsid sleep 600 & echo $!; wait', {
      timeout: 2000,
      foreign: true,
      inSession: true,
    })
    await expect(running).rejects.toMatchObject({ reason: 'timeout' })
    await until('what it started is gone', () => !isAlive(pid))
  })
})

describe('a program that ended', () => {
  it.each([0, 3])('with status %i is heard, whatever it left behind that holds its output open', async (status) => {
    const { stdout } = await sh(`sleep 600 & echo $!; exit ${status}`, { timeout: 600_000, accept: [3] })
    const pid = Number(stdout)
    expect([stdout, isAlive(pid)]).toEqual([expect.stringMatching(/^\d+\n$/), true])
    process.kill(pid, 'SIGKILL')
  })
})

describe('a program whose caller gives up', () => {
  it('is killed with everything that it started', async () => {
    const end = new AbortController()
    const { running, pid } = await begun('sleep 600 & echo $!; wait', { timeout: 600_000, signal: end.signal })
    expect(isAlive(pid)).toBe(true)
    end.abort()
    await expect(running).rejects.toMatchObject({ reason: 'signal' })
    await until('the child of the program is gone', () => !isAlive(pid))
  })

  it('before it began is killed at once', async () => {
    const running = sh('exec sleep 600', { timeout: 600_000, signal: AbortSignal.abort() })
    await expect(running).rejects.toMatchObject({ reason: 'signal' })
  })
})

describe('the output of a program', () => {
  it.each([
    ['kept', undefined, 1000],
    ['kept, without a cap of the caller', undefined, 1 << 20],
    ['handed on', (_chunk: Buffer) => {}, 1000],
    ['handed on, without a cap of the caller', (_chunk: Buffer) => {}, 1 << 20],
  ])('that is %s may have as many bytes as the cap, and not one more', async (_how, onOutput, cap) => {
    let size = 0
    const count = (chunk: Buffer) => {
      size += chunk.length
    }
    const options = {
      ...(cap === 1000 && { maxBytes: cap }),
      ...(onOutput && { onOutput: count }),
    }
    const { stdout } = await run('/usr/bin/head', ['-c', String(cap), '/dev/zero'], options)
    expect(onOutput ? size : stdout.length).toBe(cap)
    size = 0
    const more = run('/usr/bin/head', ['-c', String(cap + 1), '/dev/zero'], options)
    await expect(more).rejects.toMatchObject({ reason: 'output' })
    expect(size).toBeLessThanOrEqual(cap)
  })

  it.each([false, true])(
    'that never ends, ends the program with all that it started (handed on: %s)',
    async (handed) => {
      const sizes: number[] = []
      const options = { maxBytes: 1000, timeout: 600_000 }
      // The child writes: the shell alone would be ended by the pipe that closes.
      const running = sh('yes & yes; wait', {
        ...options,
        ...(handed && { onOutput: (c: Buffer) => sizes.push(c.length) }),
      })
      await expect(running).rejects.toMatchObject({ reason: 'output' })
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(1000)
    },
  )

  it('that says too much ends what it started as well', async () => {
    const { running, pid } = await begun('sleep 600 & echo $!; sleep 1; yes', { maxBytes: 1000, timeout: 600_000 })
    await expect(running).rejects.toMatchObject({ reason: 'output' })
    await until('the child of the program is gone', () => !isAlive(pid))
  })
})

describe('a program that the system does not start', () => {
  it('for more arguments than the kernel takes fails without all of them in it', async () => {
    // One of 128 KiB is too long whatever the limits are.
    const error = await run('/bin/true', ['-a', '-b', 'x'.repeat(1 << 18)]).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(CommandError)
    expect(error).toMatchObject({ reason: 'start', stderr: expect.stringContaining('E2BIG') })
    expect((error as CommandError).argv).toEqual(['/bin/true', '-a', '-b'])
    expect(toolFailure(error, 'tank')).toMatchObject({
      kind: 'unavailable',
      message: 'true is not installed or cannot be started',
    })
  })

  it('because it is not there is another failure', async () => {
    await expect(run('/nonexistent', [])).rejects.toMatchObject({ reason: 'missing' })
  })
})

describe('a program', () => {
  it('has a clean environment, the root folder, its input, and nothing of ours', async () => {
    process.env['EDGE_CANARY'] = 'x'
    const { stdout } = await sh('env | sort; pwd; cat', { env: { A: 'b' }, input: 'a text' })
    delete process.env['EDGE_CANARY']
    const lines = stdout.split('\n').filter((line) => !/^(?:PWD|OLDPWD|SHLVL|_)=/.test(line))
    expect(lines).toEqual(['A=b', 'LC_ALL=C', `PATH=${SYSTEM_PATH}`, '/', 'a text'])
    expect((await sh('env', { env: { LC_ALL: 'C.UTF-8' } })).stdout).toContain('LC_ALL=C.UTF-8\n')
  })

  it('may leave its input unread', async () => {
    expect((await run('/bin/true', [], { input: 'x'.repeat(1 << 20) })).status).toBe(0)
  })

  it('answers with its status where that is an answer, and fails with any other', async () => {
    const answer = { stdout: 'a\n', stderr: 'b\n', status: 3 }
    expect(await sh('echo a; echo b >&2; exit 3', { accept: [1, 3] })).toEqual(answer)
    const error = { name: 'CommandError', reason: 'status', status: 2, stderr: 'b\n', message: '/bin/sh: status 2' }
    await expect(sh('echo b >&2; exit 2', { accept: [1, 3] })).rejects.toMatchObject(error)
    await expect(sh('exit 2')).rejects.toMatchObject({ reason: 'status', status: 2 })
    await expect(sh('kill -9 $$', { accept: [1] })).rejects.toMatchObject({ reason: 'signal', status: undefined })
  })

  it('is heard to the end of what it complains of', async () => {
    const { stderr } = await sh('head -c 5000 /dev/zero | tr "\\0" a >&2; echo end >&2')
    expect([stderr.length, stderr.endsWith('aend\n')]).toEqual([4096, true])
  })

  it('that may not be started is not, nor one with a NUL in its arguments', async () => {
    const asked: string[] = []
    const choosy = createRun((program) => {
      asked.push(program)
      return program === '/bin/true'
    })
    for (const [program, args] of [
      ['/bin/false', []],
      ['true', []],
      ['/bin/true', ['a\0b']],
    ] as const)
      await expect(choosy(program, [...args])).rejects.toMatchObject({ reason: 'not-allowed' })
    await expect(run('true', [])).rejects.toMatchObject({ reason: 'not-allowed' })
    expect((await choosy('/bin/true', [])).status).toBe(0)
    expect(asked).not.toContain('true')
  })

  it('that ended is not held by the signal that could have ended it', async () => {
    const end = new AbortController()
    const remove = vi.spyOn(end.signal, 'removeEventListener')
    await run('/bin/true', [], { signal: end.signal })
    await expect(run('/nonexistent', [], { signal: end.signal })).rejects.toMatchObject({ reason: 'missing' })
    await vi.waitFor(() => expect(remove.mock.calls.length).toBeGreaterThanOrEqual(2))
  })
})
