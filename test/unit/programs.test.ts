// The storage programs by name, and what a caller hears of their failures. This machine may have a real zpool.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTool, toolMessage } from '../../src/drivers/programs.ts'
import { CommandError } from '../../src/drivers/run.ts'
import { ApiError } from '../../src/errors.ts'
import { toolFailure } from '../../src/features/tool-failure.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-tool-'))
  const file = join(folder, 'zpool')
  writeFileSync(file, `#!/bin/sh\n[ "$1" != fail ] || { printf '\\n%s\\n' "$2" >&2; exit 1; }\nprintf '%s|' "$@"\n`)
  chmodSync(file, 0o755)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const failureOf = async (running: Promise<unknown>) => {
  const error = await running.then(
    () => undefined,
    (thrown) => toolFailure(thrown, 'tank'),
  )
  expect(error).toBeInstanceOf(ApiError)
  return error as ApiError
}

describe('a storage program', () => {
  it('that no signal reaches is given up in its time, whatever holds its output open', {
    timeout: 60_000,
  }, async () => {
    const pid = join(folder, 'pid')
    // Out of the group, as what hangs in the kernel is out of reach.
    const script = `#!/bin/sh\nsetsid sh -c 'echo $$ >${pid}; exec sleep 120' &\nsleep 120\n`
    writeFileSync(join(folder, 'zfs'), script, { mode: 0o755 })
    const started = performance.now()
    const error = await failureOf(createTool(folder)('zfs', ['list'], { timeout: 1000 }))
    process.kill(Number(readFileSync(pid, 'utf8')), 'SIGKILL')
    expect([error.kind, error.message]).toEqual(['unavailable', 'zfs did not answer in time'])
    expect(performance.now() - started).toBeLessThan(40_000)
  })

  it('of our own is among the scripts, unless a folder is given', async () => {
    const script = '#!/bin/sh\necho "ours $1"\n'
    writeFileSync(join(folder, 'lio.sh'), script, { mode: 0o755 })
    expect((await createTool(undefined, folder)('lio', ['read'])).stdout).toBe('ours read\n')
    expect((await failureOf(createTool(folder, folder)('lio', ['read']))).message).toMatch(/^lio is not installed/)
  })

  it('gets its arguments byte for byte', async () => {
    const args = ['list', '-oProxyCommand=x', '$(id)', 'a b', '', 'ä\n']
    expect((await createTool(folder)('zpool', args)).stdout).toBe(args.map((arg) => `${arg}|`).join(''))
  })

  it('is missing when the given folder has none, whatever the system has', async () => {
    const error = await failureOf(createTool(folder)('lsblk', []))
    expect([error.kind, error.message]).toEqual(['unavailable', 'lsblk is not installed or cannot be started'])
  })

  it('is heard in its own words, in one line and without what a terminal would obey', async () => {
    const error = await failureOf(createTool(folder)('zpool', ['fail', "cannot open 'tank': \u001b[31mno such pool"]))
    expect([error.kind, error.message, error.details]).toEqual([
      'command-failed',
      "cannot open 'tank':  [31mno such pool",
      { object: 'tank' },
    ])
  })

  it('is cut at 300 characters', () => {
    expect(toolMessage(new CommandError(['zfs'], 'status', 'x'.repeat(4000)))).toHaveLength(300)
  })
})
