// The built program as people start it, with a real standard input, environment and working folder: what other tests
// hand to a command directly (`run(args, io)`) has to be what main.ts hands over. A stream that is injected always
// works.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { installation, temporaryFolder } from './appliance.ts'
import { keyOf } from './client.ts'

const program = join(installation(), 'edge-admin.js')
const env = { PATH: process.env['PATH'] ?? '' }
function root(): string {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'etc'))
  return folder
}
const stored = (folder: string) => readFileSync(join(folder, 'etc/api.token'), 'utf8')
const isSet = (folder: string) => expect(stored(folder)).toBe(`sha256 ${keyOf('my-token')}\n`)
const sh = (line: string, folder: string, file = '') =>
  spawnSync('sh', ['-c', line, 'sh', process.execPath, program, folder, file], { encoding: 'utf8', env })

describe('edge-admin token set reads its standard input', () => {
  it.each([
    ['of echo', 'echo my-token | "$1" "$2" token set --root "$3"'],
    ['of printf, without a line end', 'printf my-token | "$1" "$2" token set --root "$3"'],
    ['with the line end of Windows', 'printf "my-token\\r\\n" | "$1" "$2" token set --root "$3"'],
    ['of a here document', '"$1" "$2" token set --root "$3" <<END\nmy-token\nEND'],
    ['of a file', 'echo my-token >"$3/input" && "$1" "$2" token set --root "$3" <"$3/input"'],
  ])('%s', (_, line) => {
    const folder = root()
    const { status, stderr } = sh(line, folder)
    expect([status, stderr]).toEqual([0, 'the token is set\n'])
    isSet(folder)
  })

  it('of a writer that takes its time, in pieces', async () => {
    const folder = root()
    const child = spawn(process.execPath, [program, 'token', 'set', '--root', folder], {
      env,
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    const end = new Promise<number | null>((resolve) => child.once('exit', resolve))
    child.stdin.write('my-')
    await new Promise((resolve) => child.stdin.write('token', () => resolve(undefined)))
    child.stdin.end('\n')
    expect(await end).toBe(0)
    isSet(folder)
  })

  it.each([
    ['nothing', ['ignore'] as const],
    ['a closed one', undefined],
  ])('and says what is missing: %s', (_, stdin) => {
    const folder = root()
    const { status, stderr } = stdin
      ? spawnSync(process.execPath, [program, 'token', 'set', '--root', folder], {
          env,
          stdio: ['ignore', 'pipe', 'pipe'],
          encoding: 'utf8',
        })
      : sh('"$1" "$2" token set --root "$3" <&-', folder)
    expect([status, stderr]).toEqual([1, 'edge-admin token: a token has 1 to 255 characters\n'])
  })
})

describe('the environment reaches the commands', () => {
  it('of who called sudo, and for `call`', () => {
    const folder = root()
    const set = spawnSync(process.execPath, [program, 'token', 'rotate', '--root', folder], {
      ...{ encoding: 'utf8', env: { ...env, SUDO_USER: 'maria' } },
    })
    expect([set.status, set.stdout.trim()]).toEqual([0, expect.stringMatching(/^[A-Za-z0-9_-]{32}$/)])
    expect(stored(folder)).toBe(`sha256 ${keyOf(set.stdout.trim())}\n`)
    const entry = sh('cat "$3"/etc/entries/*.json', folder).stdout
    expect(JSON.parse(entry).by).toBe('edge-admin token rotate, for maria')
    // Nobody listens there: what counts is that the token was found.
    const call = spawnSync(process.execPath, [program, 'call', 'GET', '/version', '--url', 'http://127.0.0.1:1'], {
      ...{ encoding: 'utf8', env: { ...env, EDGE_ADMIN_TOKEN: 'x' } },
    })
    expect([call.status, call.stderr]).toEqual([1, expect.not.stringContaining('token')])
  })
})

it('`call` reads a password from standard input', () => {
  const folder = root()
  writeFileSync(join(folder, 'nothing'), '')
  const { status, stderr } = spawnSync(
    process.execPath,
    [program, 'call', 'GET', '/api/v1/pools', '--user', 'admin', '--url', 'http://127.0.0.1:1'],
    { encoding: 'utf8', env, stdio: [openSync(join(folder, 'nothing'), 'r'), 'pipe', 'pipe'] },
  )
  expect([status, stderr]).toEqual([1, expect.stringMatching(/password/)])
})
