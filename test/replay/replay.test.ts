// The recorded requests of the original, replayed against our server. Where we differ on purpose stands in differences.json, and a
// difference that is gone has to leave that list too.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import differences from './differences.json' with { type: 'json' }

const REPLAY = resolve('../shared/tools/jidoteki-replay')
const namespaces = spawnSync('unshare', ['-m', 'true']).status === 0
if (!namespaces)
  console.warn('skipped: the replay needs a mount namespace of its own, and unshare -m is refused here (not root?)')

test.skipIf(!namespaces)(
  'answers the recorded requests as the original, but for the listed differences',
  { timeout: 300_000 },
  async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'edge-replay-'))
    try {
      const results = join(temporary, 'results.jsonl')
      const skip = differences.filter((difference) => difference.skip).map(({ id }) => `^${id.replaceAll('.', '\\.')}$`)
      const args = [
        temporary,
        REPLAY,
        resolve('dist/edge-admin.js'),
        String(await freePort()),
        's3cr3t-Token_42',
        skip.join('|'),
        results,
      ]
      const output = await run('unshare', ['-m', 'sh', resolve('test/replay/replay.sh'), ...args])
      const cases = readFileSync(results, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { id: string; verdict: string; why: string })
      const failed = cases.filter(({ verdict }) => verdict === 'FAIL')
      const expected = differences.filter((difference) => !difference.skip).map(({ id }) => id)
      expect(
        failed.map(({ id }) => id).sort(),
        `${failed.map(({ id, why }) => `${id}: ${why}`).join('\n')}\n${output}`,
      ).toEqual(expected.sort())
      expect(cases.filter(({ verdict }) => verdict === 'SKIP')).toEqual([])
      expect(cases.length + skip.length).toBe(214)
    } finally {
      rmSync(temporary, { recursive: true, force: true })
    }
  },
)

function run(program: string, args: string[]): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stderr.on('data', (chunk) => {
      output = (output + chunk).slice(-2000)
    })
    child.stdout.resume()
    child.on('error', fail)
    child.on('close', () => done(output))
  })
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => done(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
