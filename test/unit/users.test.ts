// The file of accounts. An unreadable file must never be taken for an empty one, or a new administrator would be made.
import { spawnSync } from 'node:child_process'
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Passwords } from '../../src/auth/password.ts'
import { newUserId, type StoredUser, UserStore } from '../../src/auth/users.ts'
import { Password, UserName } from '../../src/features/users/rules.ts'
import type { Folders } from '../../src/folders.ts'
import { runs } from '../harness/fuzz.ts'

let folder: string
let folders: Folders
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-'))
  folders = { root: folder, sysconf: folder, data: folder, state: folder }
})
afterEach(() => rmSync(folder, { recursive: true }))
const path = (name: string) => join(folder, name)

function started(): UserStore {
  const store = new UserStore(folders)
  store.prepare()
  return store
}
const another = (members: Partial<StoredUser> = {}): StoredUser => ({
  ...started().all()[0]!,
  id: newUserId(),
  username: 'second',
  ...members,
})

describe('the first start', () => {
  it('SEC-12 makes one administrator with a password that only a file tells', async () => {
    const store = new UserStore(folders)
    const file = store.prepare()
    expect(file).toBe(path('admin.password'))
    const password = readFileSync(path('admin.password'), 'utf8').trim()
    expect(Password.safeParse(password).success).toBe(true)
    expect(password).toHaveLength(24)
    expect(store.all().map(({ username, role, active }) => [username, role, active])).toEqual([
      ['admin', 'administrator', true],
    ])
    expect(await new Passwords().verify(password, store.all()[0]?.hash)).toBe(true)
    expect(readFileSync(path('users.json'), 'utf8')).not.toContain(password)
    for (const name of ['admin.password', 'users.json']) expect(statSync(path(name)).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder).sort()).toEqual(['admin.password', 'users.json'])
  })

  it('happens once', () => {
    const before = started().all()
    expect(new UserStore(folders).prepare()).toBe(path('admin.password'))
    expect(started().all()).toEqual(before)
  })

  it('goes on with the password that a crash left behind', async () => {
    writeFileSync(path('admin.password'), 'left1behind\n')
    expect(await new Passwords().verify('left1behind', started().all()[0]?.hash)).toBe(true)
  })

  it('never happens over a file that is damaged', () => {
    for (const text of ['', '{', '[]', '{"users":[{"id":"x"}]}', '{"users":null}']) {
      writeFileSync(path('users.json'), text)
      expect(() => started()).toThrow('not a list of accounts')
      expect(readdirSync(folder)).toEqual(['users.json'])
    }
  })
})

describe('a change', () => {
  it('is seen at once, by another reader of the same file as well', () => {
    const [store, other] = [started(), new UserStore(folders)]
    expect(other.all()).toHaveLength(1)
    store.change((users) => users.push(another()))
    expect(other.byName('SECOND')?.username).toBe('second')
    other.change((users) => users.pop())
    expect(store.all()).toHaveLength(1)
  })

  it('that is refused changes nothing', () => {
    const store = started()
    const before = readFileSync(path('users.json'), 'utf8')
    expect(() =>
      store.change((users) => {
        users.length = 0
        throw new Error('no')
      }),
    ).toThrow('no')
    expect(readFileSync(path('users.json'), 'utf8')).toBe(before)
    expect(store.all()).toHaveLength(1)
  })

  it('is made under a lock of the kernel, which edge-admin user takes as well', () => {
    const store = started()
    const free = () => spawnSync('flock', ['-n', '-x', folder, 'true']).status === 0
    expect(free()).toBe(true)
    expect(store.change(free)).toBe(false)
    expect(() =>
      store.change(() => {
        throw new Error('no')
      }),
    ).toThrow('no')
    expect(free()).toBe(true)
  })

  it.runIf(process.getuid?.() === 0)('made by root leaves the file to whom it belongs', () => {
    const store = started()
    chownSync(path('users.json'), 4321, 4322)
    store.change((all) => all.push(another()))
    const { uid, gid, mode } = statSync(path('users.json'))
    expect([uid, gid, mode & 0o777]).toEqual([4321, 4322, 0o600])
  })

  it('never takes the last active administrator', () => {
    const store = started()
    store.change((users) => users.push(another({ role: 'operator' }), another({ active: false })))
    const wrong: ((admin: StoredUser, users: StoredUser[]) => void)[] = [
      (admin) => {
        admin.role = 'viewer'
      },
      (admin) => {
        admin.active = false
      },
      (_admin, users) => users.shift(),
    ]
    for (const edit of wrong) {
      expect(() => store.change((users) => edit(users[0]!, users))).toThrow('last active administrator')
      expect(store.all()[0]).toMatchObject({ username: 'admin', role: 'administrator', active: true })
    }
    store.change((users) => users.push(another({ username: 'third' })))
    store.change((users) => users.shift())
    expect(store.all().map(({ username }) => username)).toEqual(['second', 'second', 'third'])
  })

  it('removes the file of the one-time password with the password, also after a crash in between', () => {
    const store = started()
    store.change((users) => users.push(another({ one_time: undefined })))
    expect(readdirSync(folder)).toContain('admin.password')
    store.change((users) => delete users[0]!.one_time)
    expect(readdirSync(folder)).not.toContain('admin.password')
    writeFileSync(path('admin.password'), 'old')
    expect(new UserStore(folders).prepare()).toBeUndefined()
    expect(readdirSync(folder)).not.toContain('admin.password')
  })
})

describe('the rules of names and passwords', () => {
  it('take 3 to 32 plain characters as a name', () => {
    for (const name of ['abc', 'a-b', 'A.b_c', '0'.repeat(32)])
      expect([name, UserName.safeParse(name).success]).toEqual([name, true])
    const wrong = [
      '',
      'ab',
      'a'.repeat(33),
      '-ab',
      '.ab',
      'a b',
      'a\nb',
      'aäb',
      'a/b',
      'a"b',
      'abc\n',
      'nobody',
      'System',
      'local',
    ]
    for (const name of wrong) expect([name, UserName.safeParse(name).success]).toEqual([name, false])
  })

  it('take nothing as a name that could be read as more than one word', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        if (UserName.safeParse(name).success) expect(name).toMatch(/^[A-Za-z0-9._-]{3,32}$/)
      }),
      { numRuns: runs(10_000) },
    )
  })

  it('take 8 to 128 characters with a letter and a digit as a password', () => {
    for (const word of ['abcdefg1', '1abcdefg', 'a 1 é    ', `${'a'.repeat(127)}1`, `b1${'a\u0301'.repeat(126)}`])
      expect([word, Password.safeParse(word).success]).toEqual([word, true])
    for (const word of [
      '',
      'abcdef1',
      'abcdefgh',
      '12345678',
      `${'a'.repeat(128)}1`,
      'ääääää11',
      'abcdefg1\0',
      'abcdefg1\n',
      // An accent that was typed apart neither counts as a character nor makes its letter a plain one.
      'a\u0301bcde1',
      'a\u0301a\u0301a\u0301a\u0301a\u0301a\u030111',
      'abcdefg1\ud83d',
    ])
      expect([word, Password.safeParse(word).success]).toEqual([word, false])
  })
})
