// SEC-31: the entry of a change is on the disk before its answer, on each surface. The disk is held by the test: while it is, nobody is
// answered who changed something, and everybody who did not.
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type InProcess, startAppliance, TOKEN } from './appliance.ts'
import { call, file, until } from './client.ts'
import { type Browser, signIn } from './console.ts'
import { addCaller, ask, type Caller, logIn, ON, PASSWORD } from './controller.ts'

type Done = (error: Error | null) => void
const disk = vi.hoisted(() => ({ full: false, hold: false, held: [] as ((error?: Error) => void)[] }))
vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>()
  const fdatasync = (fd: number, done: Done) => {
    if (!disk.hold) return real.fdatasync(fd, done)
    disk.held.push((error) => (error ? done(error) : real.fdatasync(fd, done)))
  }
  /** Of the chain alone: what makes room has its own files. */
  const writeSync = ((fd: number, data: never, ...rest: never[]) => {
    if (disk.full && /^\d+ [0-9a-f]{64} \{/.test(String(data)))
      throw Object.assign(new Error('full'), { code: 'ENOSPC' })
    return real.writeSync(fd, data, ...rest)
  }) as typeof real.writeSync
  return { ...real, fdatasync, writeSync, default: { ...real, fdatasync, writeSync } }
})

let appliance: InProcess
let administrator: Caller
let page: Browser
beforeAll(async () => {
  appliance = await startAppliance(ON)
  administrator = await addCaller(appliance.folders, 'administrator', 'root')
  page = await signIn(appliance.url, { token: TOKEN })
})
afterEach(() => letGo())
afterAll(() => appliance?.close())

const letGo = (error?: Error) => {
  disk.hold = false
  for (const go of disk.held.splice(0)) go(error)
}
const written = () => {
  const folder = join(appliance.folders.state, 'audit')
  return readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('')
}
/** Tasks whose end is still to be entered. */
const owed = () => {
  const folder = join(appliance.folders.state, 'tasks')
  return readdirSync(folder).filter((id) => readdirSync(join(folder, id)).includes('owed')).length
}
const settings = JSON.stringify({ network: { interface: 'eth0', hostname: 'test.host' }, app: {} })
const user = (name: string) =>
  ask(appliance.url, 'POST', '/api/v1/users', {
    bearer: administrator.token,
    json: { username: name, password: PASSWORD },
  })

describe('SEC-31 the answer to a change', () => {
  const changes: [string, string, () => Promise<{ status: number }>, number][] = [
    ['of the controller', 'users.create', () => user('held'), 201],
    [
      'of the controller, with an Idempotency-Key',
      'users.create',
      () =>
        ask(appliance.url, 'POST', '/api/v1/users', {
          bearer: administrator.token,
          headers: { 'idempotency-key': 'k1' },
          json: { username: 'held-once', password: PASSWORD },
        }),
      201,
    ],
    [
      'that is accepted',
      'settings.post.accepted',
      () => appliance.call('POST', '/settings', { form: [file('settings', settings)] }),
      202,
    ],
    ['of the console’s session', 'auth.logout', () => page.ask('DELETE', '/console/session'), 200],
    ['by which somebody logs in', 'auth.login', () => logIn(appliance.url, 'root', PASSWORD), 200],
    [
      'of the token',
      'token.update',
      () => appliance.call('POST', '/setup', { form: [{ name: 'newtoken', value: TOKEN }] }),
      200,
    ],
    [
      'of the data, which the request waits for',
      'backup.restore',
      () => appliance.call('POST', '/backup/restore', { form: [file('archive', tarOf('home/x'))] }),
      200,
    ],
  ]
  it.each(changes)('%s comes after the sync of its entry', async (name, action, act, status) => {
    await until('nothing is under way', () => owed() === 0)
    const before = written().length
    disk.hold = true
    let answered = false
    const answer = act().then((it) => {
      answered = true
      return it
    })
    await until('the entry is there', () => written().slice(before).includes(`"action":"${action}"`))
    await until('the disk is asked to sync', () => disk.held.length > 0)
    // Somebody who changes nothing is answered meanwhile, so the other one had the time to be.
    expect((await appliance.call('GET', '/version')).status).toBe(200)
    expect(
      (
        await call(appliance.url, 'GET', '/api/v1/admin/version?token=wrong', {
          from: `127.0.1.${1 + changes.findIndex(([one]) => one === name)}`,
        })
      ).status,
    ).toBe(403)
    expect(answered).toBe(false)
    letGo()
    expect((await answer).status).toBe(status)
  })

  it('shares its sync with all that wait', async () => {
    disk.hold = true
    const answers = ['one', 'two', 'three', 'four', 'five'].map((name) => user(name))
    await until('the disk is asked to sync', () => disk.held.length > 0)
    await until('all five are entered', () => (written().match(/"action":"users.create"/g) ?? []).length >= 7)
    expect(disk.held.length).toBe(1)
    letGo()
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([201, 201, 201, 201, 201])
  })

  it('is no success when the disk refuses the sync: the change is there, and the caller hears what is not', async () => {
    disk.hold = true
    const answer = user('unsafe')
    await until('the disk is asked to sync', () => disk.held.length > 0)
    letGo(Object.assign(new Error('i/o error'), { code: 'EIO' }))
    const { status, json } = await answer
    expect([status, json.message]).toEqual([500, expect.stringMatching(/^The change was made, but its entry/)])
    expect(appliance.warnings.join('\n')).toMatch(/audit log cannot be written/)
    expect((await user('unsafe')).status).toBe(409)
    expect(written()).toContain('"action":"audit.unsynced"')
  })

  it('is no success either when the disk has no room for the entry, but for who signs in or out', async () => {
    await until('nothing is under way', () => owed() === 0)
    disk.full = true
    try {
      const { status, json } = await user('unwritten')
      expect([status, json.message]).toEqual([507, expect.stringMatching(/^The change was made, but its entry/)])
      expect((await logIn(appliance.url, 'root', PASSWORD)).status).toBe(200)
      expect((await appliance.call('GET', '/version')).status).toBe(200)
      // The task runs all the same, and its end stays owed.
      const answer = await appliance.call('POST', '/settings', { form: [file('settings', settings)] })
      expect(answer.status).toBe(507)
      await until('its end could not be entered', () =>
        appliance.warnings.join('\n').includes('the end of a task could not be entered'),
      )
      expect(owed()).toBe(1)
    } finally {
      disk.full = false
    }
    expect((await user('written-again')).status).toBe(201)
    expect(written()).toContain('"action":"audit.gap"')
    expect(written()).not.toContain('unwritten')
    // The next start would enter it.
    const tasks = join(appliance.folders.state, 'tasks')
    for (const id of readdirSync(tasks)) rmSync(join(tasks, id, 'owed'), { force: true })
  })

  it('to a log-in is given all the same: who comes to look after the disk must get in', async () => {
    disk.hold = true
    const answer = logIn(appliance.url, 'root', PASSWORD)
    await until('the disk is asked to sync', () => disk.held.length > 0)
    letGo(Object.assign(new Error('full'), { code: 'ENOSPC' }))
    expect((await answer).status).toBe(200)
  })

  it('of how a task ended, which nobody waits for, is synced as soon as it ends', async () => {
    await until('nothing is under way', () => owed() === 0)
    disk.hold = true
    const answer = appliance.call('POST', '/settings', { form: [file('settings', settings)] })
    await until('the first entry is synced', () => disk.held.length > 0)
    disk.held.shift()?.()
    await answer
    await until('the outcome is synced', () => disk.held.length > 0)
    // It stays owed until it is safe.
    expect(owed()).toBe(1)
    letGo()
    await until('nothing is owed', () => owed() === 0)
  })
})

/** An archive of one small file. */
function tarOf(name: string): Buffer {
  const head = Buffer.alloc(512)
  head.write(name, 0)
  head.write('0000644\0', 100)
  head.write('0000000\0', 108)
  head.write('0000000\0', 116)
  head.write('00000000001\0', 124)
  head.write('00000000000\0', 136)
  head.write('        ', 148)
  head.write('0', 156)
  head.write('ustar\x0000', 257)
  const sum = head.reduce((total, byte) => total + byte, 0)
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([head, Buffer.from('x'.padEnd(512, '\0')), Buffer.alloc(1024)])
}
