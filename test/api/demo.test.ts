// `make demo`, as a newcomer runs it. A make above us would pass its flags and its jobs on through the environment.
import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const repository = join(dirname(fileURLToPath(import.meta.url)), '../..')

it('drives the whole main job with curl and exits 0', { timeout: 180_000 }, async () => {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(MAKE|MFLAGS)/.test(name)))
  // Its pool is made of files: below /dev/shm, where a run's temporary folders may be, they would be devices.
  env['TMPDIR'] = '/var/tmp'
  const { stdout } = await promisify(execFile)('make', ['demo'], { cwd: repository, env, timeout: 170_000 })
  expect(stdout).toContain('{"version":"2.0.0"}')
  expect(stdout.trim().split('\n').at(-1)).toBe('Everything happened as it should.')
})
