// The file for logrotate, with the real one: the server and the scripts go on in new files, nothing is lost, the audit
// log is left alone. Logrotate looks at the owner and the mode of its own file and of the folder.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeSample } from '../../src/features/installation/sample.ts'
import { installation } from '../api/appliance.ts'
import { call, until } from '../api/client.ts'
import { REPOSITORY } from './sandbox.ts'

const missing = (): string | undefined => {
  if (process.getuid?.() !== 0) return 'logrotate changes to the owner of a log, which only root can'
  return spawnSync('logrotate', ['--version']).error && 'logrotate is not installed'
}
const reason = missing()

const temp = mkdtempSync(join(tmpdir(), 'edge-admin-logrotate-'))
const folders = {
  root: join(temp, 'root'),
  sysconf: join(temp, 'sysconf'),
  data: join(temp, 'data'),
  state: join(temp, 'state'),
}
const logs = join(folders.root, 'log')
const log = (name: string) => join(logs, name)
const text = (name: string) => (existsSync(log(name)) ? readFileSync(log(name), 'utf8') : undefined)
const UID = 4711
let server: ChildProcess
let url = ''

function rotate(...args: string[]): void {
  const file = join(temp, 'logrotate.conf')
  const source = readFileSync(join(REPOSITORY, 'etc/logrotate.edge-admin'), 'utf8')
  const filled = source.replaceAll('@ROOT@', folders.root).replaceAll('@STATEDIR@', folders.state)
  writeFileSync(file, filled, { mode: 0o644 })
  chmodSync(file, 0o644)
  const { status, stderr } = spawnSync('logrotate', ['-s', join(temp, 'logrotate.state'), ...args, file], {
    encoding: 'utf8',
  })
  expect([status, stderr]).toEqual([0, ''])
}
/** What a script would write there. */
function fromScript(name: string, line: string): void {
  const env = { PATH: process.env['PATH'], ...environment() }
  // Its own name tells the library where the others are.
  const script = join(installation(), 'scripts/x.sh')
  execFileSync('sh', ['-c', `. "\${0%/*}/lib.sh"; log_text "$1" "$2"`, script, name, line], { env })
}
const environment = () => ({
  EDGE_ROOT: folders.root,
  EDGE_SYSCONFDIR: folders.sysconf,
  EDGE_DATADIR: folders.data,
  EDGE_STATEDIR: folders.state,
})

beforeAll(async () => {
  if (reason) return
  const program = join(installation(), 'edge-admin.js')
  const options = [
    '--root',
    folders.root,
    '--sysconfdir',
    folders.sysconf,
    '--datadir',
    folders.data,
    '--statedir',
    folders.state,
  ]
  execFileSync('node', [program, 'init', ...options])
  makeSample(folders)
  server = spawn('node', [program, 'serve', ...options, '--port', '0', '--default-log', log('edge-admin.log')], {
    stdio: 'ignore',
  })
  url = await until('the server listens', () => /"url":"([^"]+)".*"listening"/.exec(text('edge-admin.log') ?? '')?.[1])
})
afterAll(async () => {
  if (server && server.exitCode === null) {
    const gone = once(server, 'exit')
    server.kill('SIGKILL')
    await gone
  }
  rmSync(temp, { recursive: true, force: true })
})

/** A call that is refused: one line in the server's log, one of the original's audit lines, one entry of the audit log. */
const refusedCall = (path: string) => call(url, 'GET', `/api/v1/admin/${path}`, { token: 'wrong' })

describe('logrotate, with the file that is shipped', () => {
  it('moves the server’s logs away, and the server goes on in new ones', async (context) => {
    if (reason) context.skip(reason)
    await refusedCall('version')
    await until('the first lines', () => text('edge-admin.log')?.includes('/version') && text('jidoteki-audit.log'))
    // The folder and the log as they are in the other layouts: of a group, and of the server's own user.
    chmodSync(logs, 0o3770)
    chownSync(logs, 0, UID)
    chownSync(log('jidoteki-audit.log'), UID, UID)
    const audit = readdirSync(join(folders.state, 'audit'))
    rotate('--force')
    expect(text('edge-admin.log.1')).toContain('/version')
    expect(text('jidoteki-audit.log.1')).toContain('api/v1/admin/version')
    expect(statSync(log('jidoteki-audit.log')).uid).toBe(UID)
    await refusedCall('changelog')
    await until('the next lines', () => text('edge-admin.log')?.includes('/changelog'))
    expect(text('jidoteki-audit.log')).toContain('api/v1/admin/changelog')
    for (const name of ['edge-admin.log.1', 'jidoteki-audit.log.1']) expect(text(name)).not.toContain('changelog')
    expect(readdirSync(join(folders.state, 'audit'))).toEqual(audit)
  })

  it('compresses the ones before, with every line', async (context) => {
    if (reason) context.skip(reason)
    rotate('--force')
    expect(execFileSync('gzip', ['-dc', log('edge-admin.log.2.gz')], { encoding: 'utf8' })).toContain('/version')
    expect(text('edge-admin.log.1')).toContain('/changelog')
  })

  it('moves a script’s log away by its size alone, and the script goes on', (context) => {
    if (reason) context.skip(reason)
    fromScript('update.log', 'the last update')
    fromScript('update_backup.log', 'a backup')
    // A month later, as logrotate sees it.
    rotate()
    const state = readFileSync(join(temp, 'logrotate.state'), 'utf8')
    writeFileSync(join(temp, 'logrotate.state'), state.replace(/ 2\d{3}-/g, ' 2001-'))
    rotate()
    expect([text('update.log'), text('update.log.1')]).toEqual(['the last update\n', undefined])
    writeFileSync(log('update.log'), `${'x'.repeat(8 << 20)}\n`)
    rotate()
    fromScript('update.log', 'the next one')
    expect([text('update.log'), text('update.log.1')?.length]).toEqual(['the next one\n', (8 << 20) + 1])
    expect(text('update_backup.log')).toBe('a backup\n')
  })

  it('leaves the audit log as its digests have it', async (context) => {
    if (reason) context.skip(reason)
    const end = once(server, 'exit')
    server.kill()
    await end
    const verified = spawnSync(
      'node',
      [join(installation(), 'edge-admin.js'), 'audit', 'verify', '--statedir', folders.state],
      {
        encoding: 'utf8',
      },
    )
    expect([verified.status, verified.stdout]).toEqual([0, expect.stringMatching(/^good: /)])
  })

  it('has no file of the audit log in its list', () => {
    const rules = readFileSync(join(REPOSITORY, 'etc/logrotate.edge-admin'), 'utf8').replace(/^#.*\n/gm, '')
    expect(rules).not.toContain('@STATEDIR@')
    expect(rules).not.toMatch(/copytruncate|postrotate/)
  })
})
