// Share users and groups that the system or Samba has lost, or has otherwise, are put right at the start; accounts that
// were not made here are left alone.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTool } from '../../src/drivers/programs.ts'
import { ShareAccounts } from '../../src/features/share-accounts/accounts.ts'
import {
  createShareGroup,
  listShareGroups,
  removeShareGroup,
  updateShareGroup,
} from '../../src/features/share-accounts/groups.ts'
import {
  createShareUser,
  listShareUsers,
  removeShareUser,
  updateShareUser,
} from '../../src/features/share-accounts/users.ts'
import type { Folders } from '../../src/folders.ts'
import { type Fakes, installFakes } from '../fakes/install.ts'

let folder: string
let fakes: Fakes
let events: [target: string, what: string, failed: boolean][]
const open = (more: object = {}) =>
  new ShareAccounts({
    tool: createTool(fakes.programs),
    folders: { state: join(folder, 'state') } as Folders,
    ids: { first: 20_000, last: 20_009 },
    privileged: true,
    sharesNaming: async () => [],
    makeFolders: async () => {},
    event: (target, what, failure) => events.push([target, what, failure !== undefined]),
    ...more,
  })
const wanted = (name: string, groups: string[] = []) => ({
  ...{ name, password: 'a-good-one-1', full_name: '', enabled: true, groups },
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'share-accounts-'))
  mkdirSync(join(folder, 'state'))
  fakes = installFakes(folder)
  events = []
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const model = () => fakes.model()['accounts']
const file = () => join(folder, 'state/share-accounts.json')
const numbers = () => join(folder, 'state/share-accounts/numbers.json')

describe('at the start', () => {
  it('accounts, groups and hashes that were lost are back', async () => {
    const accounts = open()
    await createShareGroup(accounts, { name: 'staff', description: '', members: [] })
    await createShareUser(accounts, wanted('jo doe', ['staff']))
    await createShareUser(accounts, { ...wanted('berta'), enabled: false })
    const before = model()
    fakes.change((all) => void delete all['accounts'])
    await open().restore()
    expect(model()).toEqual(before)
    expect(events).toContainEqual(['share-users/20002', 'the account was missing', false])
    expect(events).toContainEqual(['share-users/20002', 'Samba’s account was missing', false])
    expect(events).toContainEqual(['share-groups/20001', 'the members differed', false])
    expect(existsSync(join(folder, 'state/share-accounts/import.smbpasswd'))).toBe(false)
    events = []
    await open().restore()
    expect(events).toEqual([])
  })

  it('what differs is put right, and what was not made here stays', async () => {
    const accounts = open()
    await createShareGroup(accounts, { name: 'staff', description: '', members: [] })
    await createShareUser(accounts, wanted('anna', ['staff']))
    const before = model()
    fakes.change(({ accounts: there }) => {
      there.users.anna.shell = '/bin/bash'
      there.users.anna.full_name = 'Somebody'
      there.samba.anna.flags = 'DU         '
      there.groups.staff.members = ['www-data']
      there.samba['vendor'] = { hash: '0'.repeat(32), flags: 'U          ', changed: 1 }
    })
    await open().restore()
    expect(model()).toEqual({
      ...before,
      groups: { ...before.groups, staff: { ...before.groups.staff, members: ['anna', 'www-data'] } },
      samba: { ...before.samba, vendor: { hash: '0'.repeat(32), flags: 'U          ', changed: 1 } },
    })
    expect(events.map(([, what]) => what).sort()).toEqual([
      'Samba’s account differed',
      'the account differed',
      'the members differed',
    ])
  })

  it('a password that was changed in Samba since is kept', async () => {
    await createShareUser(open(), wanted('anna'))
    const hash = 'AB'.repeat(16)
    fakes.change(({ accounts: { samba } }) => {
      samba.anna.hash = hash
      samba.anna.changed += 60
    })
    await open().restore()
    expect([model().samba.anna.hash, readFileSync(file(), 'utf8').includes(hash)]).toEqual([hash, true])
    // An older one is a change that was lost.
    fakes.change(({ accounts: { samba } }) => {
      samba.anna.hash = 'CD'.repeat(16)
      samba.anna.changed -= 120
    })
    await open().restore()
    expect(model().samba.anna.hash).toBe(hash)
  })

  it('also where something else of the user is changed', async () => {
    await createShareUser(open(), wanted('anna'))
    const hash = 'AB'.repeat(16)
    fakes.change(({ accounts: { samba } }) => {
      samba.anna.hash = hash
      samba.anna.changed += 60
    })
    await updateShareUser(open(), '20001', { full_name: 'Anna' })
    expect([model().samba.anna.hash, model().users.anna.full_name]).toEqual([hash, 'Anna'])
  })

  it('an account of the same name or number that was not made here is left alone, and the others are brought in', async () => {
    const accounts = open()
    await createShareUser(accounts, wanted('anna'))
    await createShareUser(accounts, wanted('berta'))
    await createShareUser(accounts, wanted('carla'))
    fakes.change((all) => {
      delete all['accounts']
    })
    await fakesKnow()
    fakes.change(({ accounts: { users } }) => {
      users.anna = { uid: 1001, gid: 1000, full_name: '', home: '/home/anna', shell: '/bin/bash' }
      users.other = { uid: 20_002, gid: 1000, full_name: '', home: '/', shell: '/bin/sh' }
    })
    const again = open()
    await again.restore()
    expect(model().users).toMatchObject({
      anna: { uid: 1001, home: '/home/anna' },
      other: { uid: 20_002 },
      carla: { uid: 20_003 },
    })
    expect(Object.keys(model().samba)).toEqual(['carla'])
    expect((await listShareUsers(again)).map(({ name, problem }) => [name, problem])).toEqual([
      ['anna', 'The system has an account of this name that was not made here; it is left alone'],
      ['berta', 'The system has an account with the number 20002 that was not made here; it is left alone'],
      ['carla', undefined],
    ])
    expect(events.filter(([, , failed]) => failed).map(([target]) => target)).toEqual([
      'share-users/20001',
      'share-users/20002',
    ])
  })

  it('a change of an account that cannot be brought in is refused, and the others can still be changed', async () => {
    const accounts = open()
    await createShareGroup(accounts, { name: 'staff', description: '', members: [] })
    await createShareUser(accounts, wanted('anna', ['staff']))
    await createShareUser(accounts, wanted('berta'))
    fakes.change(({ accounts: { users } }) => {
      users.anna.uid = 1001
    })
    const theirs = model()
    await expect(updateShareUser(accounts, '20002', { full_name: 'A' })).rejects.toThrow('was not made here')
    // But nobody logs in to it with the password of a share user any more.
    theirs.samba.anna.flags = 'DU         '
    expect(model()).toEqual(theirs)
    expect((await listShareUsers(accounts)).map(({ name, problem }) => [name, problem !== undefined])).toEqual([
      ['anna', true],
      ['berta', false],
    ])
    expect(await updateShareUser(accounts, '20003', { full_name: 'B' })).toMatchObject({ full_name: 'B' })
    // So after a kill in the middle of it.
    expect(existsSync(join(folder, 'state/share-accounts/before.json'))).toBe(false)
  })

  it('a removal leaves an account alone that is not the one that was made here', async () => {
    await createShareUser(open(), wanted('anna'))
    fakes.change(({ accounts: { users } }) => {
      users.anna.uid = 1001
    })
    const { hash } = model().samba.anna
    fakes.change(({ accounts: { samba } }) => {
      samba.anna.hash = 'AB'.repeat(16)
    })
    const theirs = model()
    await removeShareUser(open(), '20001')
    expect(model()).toEqual(theirs)
    // Samba's account with the password that was set here would now open theirs.
    await createShareUser(open(), wanted('berta'))
    fakes.change(({ accounts: { users, samba } }) => {
      users.berta.uid = 1002
      samba.berta.hash = hash
    })
    await removeShareUser(open(), '20002')
    expect([model().users.berta.uid, Object.keys(model().samba)]).toEqual([1002, ['anna']])
  })

  it('a group does not take in another account that has the name of a member', async () => {
    const accounts = open()
    await createShareGroup(accounts, { name: 'staff', description: '', members: [] })
    await createShareUser(accounts, wanted('anna', ['staff']))
    await createShareUser(accounts, wanted('berta', ['staff']))
    fakes.change(({ accounts: { users, groups } }) => {
      users.anna.uid = 1001
      groups.staff.members = []
    })
    await open().restore()
    expect(model().groups.staff.members).toEqual(['berta'])
    // Nor one that is gone, which the program would refuse.
    fakes.change(({ accounts: { users } }) => void delete users.anna)
    fakes.faults({ program: 'useradd', stderr: 'useradd: cannot open /etc/passwd' })
    await updateShareGroup(open(), '20001', { description: 'Both' })
    expect(model().groups.staff.members).toEqual(['berta'])
  })

  it('nothing is started where there are no share users', async () => {
    await open().restore()
    expect(fakes.calls()).toEqual([])
  })
})

describe('a user that is disabled cannot log in any more', () => {
  const flags = () => model().samba.anna?.flags
  const off = (accounts = open()) => updateShareUser(accounts, '20001', { enabled: false })
  beforeEach(() => createShareUser(open(), wanted('anna')))

  it('where another account of the system has taken its name', async () => {
    fakes.change(({ accounts: { users } }) => {
      users.anna.uid = 1001
    })
    const accounts = open()
    const words = 'The system has an account of this name that was not made here; it is left alone'
    expect(await off(accounts)).toMatchObject({ enabled: false, problem: words })
    expect([flags(), model().users.anna.uid]).toEqual(['DU         ', 1001])
    expect(await listShareUsers(accounts)).toMatchObject([{ enabled: false, problem: words }])
    // Nor after a start that finds it enabled again.
    fakes.change(({ accounts: { samba } }) => {
      samba.anna.flags = 'U          '
    })
    await open().restore()
    expect(flags()).toBe('DU         ')
    // And no password is set for the other account.
    const before = model()
    const change = updateShareUser(open(), '20001', { enabled: false, password: 'another-one-1' })
    await expect(change).rejects.toThrow(words)
    expect(model()).toEqual(before)
  })

  it('where its account of the system is gone and cannot be made again', async () => {
    fakes.change(({ accounts: { users } }) => void delete users.anna)
    fakes.faults({ program: 'useradd', stderr: 'useradd: cannot open /etc/passwd' })
    const accounts = open()
    expect(await off(accounts)).toMatchObject({ enabled: false, problem: expect.any(String) })
    expect(flags()).toBe('DU         ')
    fakes.faults()
    expect(await off(accounts)).not.toHaveProperty('problem')
    expect([flags(), model().users.anna.uid]).toEqual(['DU         ', 20_001])
  })

  it('where somebody enabled it in Samba by hand', async () => {
    await off()
    fakes.change(({ accounts: { samba } }) => {
      samba.anna.flags = 'U          '
    })
    await off()
    expect(flags()).toBe('DU         ')
  })

  it('but Samba’s account with another password, beside another account of the system, is left alone', async () => {
    fakes.change(({ accounts: { users, samba } }) => {
      users.anna.uid = 1001
      samba.anna.hash = 'AB'.repeat(16)
    })
    expect(await off()).toMatchObject({ enabled: false, problem: expect.any(String) })
    expect(flags()).toBe('U          ')
  })

  it('and is told where Samba does not take it', async () => {
    fakes.change(({ accounts: { users } }) => {
      users.anna.uid = 1001
    })
    fakes.faults({ program: 'smbpasswd', match: '^-d', status: 0, stdout: 'Disabled user anna.' })
    await expect(off()).rejects.toThrow('Samba did not take the account')
    fakes.faults()
    expect(await listShareUsers(open())).toMatchObject([{ enabled: true }])
  })
})

describe('where another account of the system has taken the name of a share user', () => {
  const session = (id: string, uid: number) => ({
    id,
    pid: 4700 + Number(id),
    uid,
    username: 'anna',
    client: '10.0.0.5',
  })
  const sessions = () => fakes.model()['samba'].sessions.map(({ id }: { id: string }) => id)
  const takeOver = (hash?: string) =>
    fakes.change((all) => {
      all['accounts'].users.anna.uid = 1001
      if (hash !== undefined) all['accounts'].samba.anna.hash = hash
      all['samba'] ??= { registry: {}, include: true, smbd: true, told: [] }
      all['samba'].sessions = [session('1', 20_001), session('2', 1001)]
    })
  const flags = () => model().samba.anna.flags
  beforeEach(() => createShareUser(open(), wanted('anna')))

  it('its log-in, which would open that account, ends at the start with its sessions, and is back when the name is free', async () => {
    takeOver()
    const accounts = open()
    await accounts.restore()
    expect([flags(), sessions()]).toEqual(['DU         ', []])
    expect(events).toContainEqual([
      'share-users/20001',
      'it is disabled in Samba: another account of the system has its name',
      false,
    ])
    expect(await listShareUsers(accounts)).toMatchObject([{ enabled: true, problem: expect.any(String) }])
    fakes.change(({ accounts: { users } }) => void delete users.anna)
    await open().restore()
    expect([flags(), model().users.anna.uid]).toEqual(['U          ', 20_001])
  })

  it('its sessions end also where a change finds that, which is refused', async () => {
    takeOver()
    await expect(updateShareUser(open(), '20001', { full_name: 'A' })).rejects.toThrow('was not made here')
    expect([flags(), sessions()]).toEqual(['DU         ', []])
  })

  it('and at a start that finds it disabled already', async () => {
    takeOver()
    fakes.change(({ accounts: { samba } }) => {
      samba.anna.flags = 'DU         '
    })
    await open().restore()
    expect([flags(), sessions()]).toEqual(['DU         ', []])
  })

  it('but not those of that account with its own password', async () => {
    takeOver('AB'.repeat(16))
    await open().restore()
    expect([flags(), sessions()]).toEqual(['U          ', ['1', '2']])
  })

  it('disabling or removing the user ends no session of that account with its own password', async () => {
    takeOver('AB'.repeat(16))
    const { ended_sessions } = await updateShareUser(open(), '20001', { enabled: false })
    expect([ended_sessions, sessions()]).toEqual([[{ id: '1', client: '10.0.0.5', ended: true }], ['2']])
    expect(await removeShareUser(open(), '20001')).toEqual([])
    expect([flags(), sessions()]).toEqual(['U          ', ['2']])
  })

  it('removing the user ends what was opened with its password', async () => {
    takeOver()
    expect(await removeShareUser(open(), '20001')).toMatchObject([{ id: '1' }, { id: '2' }])
    expect([Object.keys(model().samba), sessions()]).toEqual([[], []])
  })
})

describe('a removal', () => {
  it('asks in its turn whether a share names the account', async () => {
    const named = async (name: string, kind: string) => [{ object: 'shares/smb/x', reason: `names ${kind} ${name}` }]
    await createShareUser(open(), wanted('anna'))
    await createShareGroup(open(), { name: 'staff', description: '', members: ['anna'] })
    const before = model()
    const accounts = open({ sharesNaming: named })
    await expect(removeShareUser(accounts, '20001')).rejects.toThrow('shares/smb/x names user anna')
    await expect(removeShareGroup(accounts, '20002')).rejects.toThrow('shares/smb/x names group staff')
    expect(model()).toEqual(before)
  })

  it('ends log-in and sessions before the account of the system, which is kept while a process of it runs', async () => {
    await createShareUser(open(), wanted('anna'))
    fakes.change((all) => {
      all['samba'] ??= { registry: {}, include: true, smbd: true, told: [] }
      all['samba'].sessions = [{ id: '11', pid: 4711, uid: 20_001, username: 'anna', client: '10.0.0.5' }]
    })
    const from = fakes.calls().length
    expect(await removeShareUser(open(), '20001')).toMatchObject([{ id: '11', ended: true }])
    const order = fakes
      .calls()
      .slice(from)
      .map(({ program, args }) => `${program} ${args[0]}`)
      .filter((one) => /^(?:pdbedit -x|smbcontrol|userdel) /.test(`${one} `))
    expect(order.map((one) => one.split(' ')[0])).toEqual(['pdbedit', 'smbcontrol', 'userdel'])
  })
})

/** The model has its accounts from now on. */
const fakesKnow = () => createTool(fakes.programs)('groupadd', ['--gid', '900', '--', 'made'])

describe('numbers', () => {
  it('that a directory server knows and does not list are left out, of users as of groups', async () => {
    await fakesKnow()
    fakes.change(({ accounts: all }) => {
      const account = { uid: 20_001, gid: 100, full_name: '', home: '/', shell: '/bin/sh' }
      all.hidden = { remote: account }
      all.hidden_groups = { remotes: { gid: 20_002, members: [] } }
      for (let id = 20_003; id < 20_040; id++) all.hidden[`u${id}`] = { ...account, uid: id }
    })
    const ids = { first: 20_000, last: 20_099 }
    const { id, uid } = await createShareUser(open({ ids }), wanted('anna'))
    expect([id, uid]).toEqual(['20040', 20_040])
  })

  it('are never given out twice, and end with the range', async () => {
    const accounts = open()
    fakes.change((all) => void delete all['accounts'])
    await fakesKnow()
    fakes.change(({ accounts: { users } }) => {
      users.other = { uid: 20_003, gid: 1000, full_name: '', home: '/', shell: '/bin/sh' }
    })
    const given: number[] = []
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
      const { uid, id } = await createShareUser(accounts, wanted(name))
      given.push(uid)
      await removeShareUser(open(), id)
    }
    expect(given).toEqual([20_001, 20_002, 20_004, 20_005, 20_006, 20_007, 20_008, 20_009])
    await expect(createShareUser(open(), wanted('i'))).rejects.toMatchObject({
      kind: 'failed-precondition',
      message: expect.stringContaining('"share-ids"'),
    })
    expect((await listShareGroups(accounts)).map(({ gid }) => gid)).toEqual([20_000])
  })
})

describe('the number of a removed user is not given out again', () => {
  const next = async (name: string) => (await createShareUser(open(), wanted(name))).uid

  it('where an older copy of the records is put back', async () => {
    await next('anna')
    const older = readFileSync(file())
    expect(await next('berta')).toBe(20_002)
    await removeShareUser(open(), '20002')
    writeFileSync(file(), older)
    await open().restore()
    expect(await next('carla')).toBe(20_003)
  })

  it('where an earlier version, which kept no numbers apart, had made it', async () => {
    await next('anna')
    const older = readFileSync(file())
    await next('berta')
    await removeShareUser(open(), '20002')
    rmSync(numbers())
    await open().restore()
    writeFileSync(file(), older)
    expect(await next('carla')).toBe(20_003)
  })

  it('where the file of numbers is damaged: then none is given out, and accounts are brought back all the same', async () => {
    await next('anna')
    writeFileSync(numbers(), '{"given":["x"]}')
    await expect(next('berta')).rejects.toThrow('the numbers of share users and groups')
    fakes.change((all) => void delete all['accounts'])
    await open().restore()
    expect(Object.keys(model().samba)).toEqual(['anna'])
    expect(events).toContainEqual(['share-accounts', 'the numbers that were given out could not be kept', true])
    // Nor does that keep anybody's log-in.
    expect(await updateShareUser(open(), '20001', { enabled: false })).toMatchObject({ enabled: false })
    expect(model().samba.anna.flags).toBe('DU         ')
    await removeShareUser(open(), '20001')
    expect([Object.keys(model().samba), model().users.anna]).toEqual([[], undefined])
  })
})

it('the group of all share users is taken over where the records were lost', async () => {
  await createShareUser(open(), wanted('anna'))
  rmSync(file())
  fakes.change(({ accounts: { users, samba } }) => {
    delete users.anna
    delete samba.anna
  })
  expect((await createShareUser(open(), wanted('anna'))).uid).toBe(20_002)
  expect(model().users.anna.gid).toBe(20_000)
})

it('a server that is not root says so, and starts nothing', async () => {
  const accounts = open({ privileged: false })
  await expect(createShareUser(accounts, wanted('anna'))).rejects.toMatchObject({ kind: 'not-implemented' })
  await accounts.restore()
  expect(fakes.calls()).toEqual([])
})

it('without the programs, the answer names the one that is missing', async () => {
  rmSync(join(fakes.programs, 'pdbedit'))
  await expect(createShareUser(open(), wanted('anna'))).rejects.toMatchObject({
    kind: 'unavailable',
    message: 'pdbedit is not installed or cannot be started',
  })
})

it('a damaged file is refused, so that no number is given out a second time', async () => {
  writeFileSync(file(), '{"accounts":[{"kind":"user"}]}')
  await expect(createShareUser(open(), wanted('anna'))).rejects.toThrow('a list of share users and groups')
})
