// A file that is replaced keeps its owner, group and mode. Only root can give files away, so as somebody else most of
// this is skipped.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buildSync } from 'esbuild'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { storeToken, TokenStore, tokenKey } from '../../src/auth/token.ts'
import { saveBody } from '../../src/cli/reply-body.ts'
import type { Folders } from '../../src/folders.ts'
import { installPair } from '../../src/http/server/tls.ts'
import { AppendLog } from '../../src/store/append-log.ts'
import { writeAtomic } from '../../src/store/atomic.ts'
import { give, groupNamed } from '../../src/store/owner.ts'

const isRoot = process.getuid?.() === 0
/** The original's users are numbers; nobody here has these. */
const ADMIN = 64997
let base: string
let folders: Folders
const etc = (name: string) => join(base, 'etc', name)
const look = (path: string) => {
  const { uid, gid, mode } = statSync(path)
  return `${(mode & 0o777).toString(8)} ${uid}:${gid}`
}
const lay = (path: string, mode: number, uid: number, gid: number, content = 'old\n') => {
  writeFileSync(path, content)
  chownSync(path, uid, gid)
  chmodSync(path, mode)
}

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'edge-owner-'))
  folders = { root: base, sysconf: join(base, 'sysconf'), data: base, state: base }
  for (const name of ['etc', 'log', 'sysconf']) mkdirSync(join(base, name))
  if (!isRoot) return
  // As the original's image lays them.
  for (const [name, mode] of [
    ['etc', 0o1775],
    ['log', 0o775],
  ] as const) {
    chownSync(join(base, name), 0, ADMIN)
    chmodSync(join(base, name), mode)
  }
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

describe.skipIf(!isRoot)('a file that is replaced', () => {
  it('keeps its owner, group and mode', () => {
    lay(etc('app.json'), 0o664, ADMIN, ADMIN + 1)
    expect(writeAtomic(etc('app.json'), 'new\n')).toBeUndefined()
    expect([look(etc('app.json')), readFileSync(etc('app.json'), 'utf8')]).toEqual([
      `664 ${ADMIN}:${ADMIN + 1}`,
      'new\n',
    ])
  })
  it('stays shut to others when it is a secret, and open to its group', () => {
    lay(etc('api.token'), 0o664, 0, ADMIN)
    writeAtomic(etc('api.token'), 'new\n', 0o600)
    expect(look(etc('api.token'))).toBe(`660 0:${ADMIN}`)
  })
  it('that is new gets the group of its folder, and the mode that was asked for', () => {
    writeAtomic(etc('license.asc'), 'new\n')
    writeAtomic(etc('api.token'), 'new\n', 0o600)
    expect([look(etc('license.asc')), look(etc('api.token'))]).toEqual([`640 0:${ADMIN}`, `600 0:${ADMIN}`])
  })
})

describe.skipIf(!isRoot)('a body that replaces a file', () => {
  it('keeps its owner, group and mode, but for others', async () => {
    lay(etc('backup.tar'), 0o664, ADMIN, ADMIN)
    await saveBody(Readable.from([Buffer.from('new')]) as IncomingMessage, etc('backup.tar'))
    expect([look(etc('backup.tar')), readFileSync(etc('backup.tar'), 'utf8')]).toEqual([`660 ${ADMIN}:${ADMIN}`, 'new'])
  })
})

describe.skipIf(!isRoot)('a token file of the original', () => {
  it('keeps its owner, group and mode when it is converted, and when the token is changed', () => {
    lay(etc('api.token'), 0o660, 0, ADMIN, 'original\n')
    lay(etc('api.token.setup'), 0o644, ADMIN, ADMIN, '')
    const warnings: string[] = []
    expect(
      new TokenStore(folders, (text) => warnings.push(text)).authenticate('GET', '/', { token: 'original' }),
    ).toBeDefined()
    expect(readFileSync(etc('api.token'), 'utf8')).toBe(`sha256 ${tokenKey('original')}\n`)
    expect([look(etc('api.token')), warnings]).toEqual([`660 0:${ADMIN}`, []])
    storeToken(folders, 'another')
    expect([look(etc('api.token')), look(etc('api.token.setup'))]).toEqual([`660 0:${ADMIN}`, `640 ${ADMIN}:${ADMIN}`])
  })
})

describe.skipIf(!isRoot)('a log', () => {
  it('that we make can be appended to by whom root shares its folder with', () => {
    const log = new AppendLog(join(base, 'log/jidoteki-audit.log'))
    log.append('a line')
    log.close()
    expect(look(join(base, 'log/jidoteki-audit.log'))).toBe(`660 0:${ADMIN}`)
  })
  it('that was full goes on as the same owner’s, with the same mode', () => {
    const file = join(base, 'log/jidoteki-audit.log')
    lay(file, 0o664, ADMIN, ADMIN)
    const log = new AppendLog(file, { most: 4 })
    log.append('a line')
    log.close()
    expect([look(file), look(`${file}.old`), readFileSync(file, 'utf8')]).toEqual([
      `664 ${ADMIN}:${ADMIN}`,
      `664 ${ADMIN}:${ADMIN}`,
      'a line\n',
    ])
  })
  it('in a folder of root’s own stays root’s', () => {
    chownSync(join(base, 'log'), 0, 0)
    const log = new AppendLog(join(base, 'log/jidoteki-audit.log'))
    log.append('a line')
    log.close()
    expect(look(join(base, 'log/jidoteki-audit.log'))).toBe('640 0:0')
  })
})

describe.skipIf(!isRoot)('the first certificate', () => {
  const files = () =>
    ['private/enterprise.key', 'certs/enterprise.crt'].map((name) => look(join(base, 'sysconf/pki/tls', name)))
  it('is for staff on an image of the original’s, who get through to it', () => {
    const before = process.umask(0o027)
    installPair(folders, { cert: 'cert\n', key: 'key\n' })
    process.umask(before)
    for (const name of ['pki', 'pki/tls', 'pki/tls/private', 'pki/tls/certs'])
      expect(look(join(base, 'sysconf', name)), name).toBe('755 0:0')
    const gid = groupNamed('staff') ?? ADMIN
    expect(files()).toEqual([`640 0:${gid}`, `640 0:${gid}`])
  })
  it('is root’s where root shares etc/ with nobody', () => {
    chownSync(join(base, 'etc'), 0, 0)
    installPair(folders, { cert: 'cert\n', key: 'key\n' })
    expect(files()).toEqual(['600 0:0', '644 0:0'])
  })
})

describe('who is not root', () => {
  it('keeps what it can, says what it cannot, and opens nothing to its own group instead', ({ skip }) => {
    const program = `import { openSync } from 'node:fs'; import { give } from './src/store/owner.ts'
      console.log(give(openSync(process.argv[2], 'wx', 0o600), { uid: 0, gid: ${ADMIN}, mode: 0o664 }))`
    const { outputFiles } = buildSync({
      stdin: { contents: program, resolveDir: join(import.meta.dirname, '../..'), loader: 'ts' },
      bundle: true,
      platform: 'node',
      format: 'esm',
      write: false,
    })
    writeFileSync(join(base, 'give.mjs'), outputFiles[0]!.text)
    chmodSync(base, 0o777)
    chmodSync(join(base, 'etc'), 0o777)
    const down = isRoot ? ['setpriv', '--reuid', '4711', '--regid', '4712', '--clear-groups'] : []
    if (isRoot && spawnSync('setpriv', ['--version']).error) skip('setpriv is not installed')
    const [command, ...args] = [...down, process.execPath, join(base, 'give.mjs'), etc('file')]
    const { stdout, stderr } = spawnSync(command!, args, { encoding: 'utf8' })
    expect(stdout, stderr).toMatch(new RegExp(`^it belongs to [0-9]+:[0-9]+ now, not to 0:${ADMIN}\n$`))
    expect(statSync(etc('file')).mode & 0o777).toBe(0o604)
  })
  it('gives a file that is its own already the mode of the one before', () => {
    const fd = openSync(etc('file'), 'wx', 0o600)
    const { uid, gid } = statSync(etc('file'))
    expect(give(fd, { uid, gid, mode: 0o640 })).toBeUndefined()
    closeSync(fd)
    expect(statSync(etc('file')).mode & 0o777).toBe(0o640)
  })
})
