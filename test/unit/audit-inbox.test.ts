// What commands change without the server: entered once, by the server, whether it ran or not.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { run } from '../../src/cli/cli.ts'
import { EntryDropped } from '../../src/store/audit/chain.ts'
import { Inbox, inboxOf, recorded } from '../../src/store/audit/inbox.ts'
import { type InProcess, startAppliance, temporaryFolder } from '../api/appliance.ts'
import { until } from '../api/client.ts'
import { addCaller, ask, type Caller, ON } from '../api/controller.ts'

const disk = vi.hoisted(() => ({ keeps: '' }))
vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>()
  const rmSync: typeof real.rmSync = (path, options) => {
    if (disk.keeps !== '' && String(path).includes(disk.keeps))
      throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' })
    real.rmSync(path, options)
  }
  return { ...real, rmSync, default: { ...real, rmSync } }
})

let appliance: InProcess
let administrator: Caller
beforeAll(async () => {
  appliance = await startAppliance(ON)
  administrator = await addCaller(appliance.folders, 'administrator', 'root')
})
afterAll(() => appliance?.close())

async function command(args: string[], env = {}, stdin?: string): Promise<{ status: number; said: string }> {
  const out = new PassThrough()
  let said = ''
  out.on('data', (chunk) => {
    said += chunk
  })
  const io = { stdout: out, stderr: out, env, ...(stdin !== undefined && { stdin: stream(stdin) }) }
  return { status: await run(args, io), said }
}
async function* stream(text: string) {
  yield text
}
const entries = async (action: string) =>
  (await ask(appliance.url, 'GET', `/api/v1/audit?action=${action}`, { bearer: administrator.token })).json
const left = (parent: string) => (existsSync(inboxOf(parent)) ? readdirSync(inboxOf(parent)) : [])

describe('a command that changes the appliance', () => {
  it('leaves its entry on the disk before it answers, for a server that does not run', async () => {
    const { user } = await addCaller(appliance.folders, 'viewer', 'forgetful')
    const { state, root } = appliance.folders
    expect((await command(['user', 'reset', 'FORGETFUL', '--statedir', state], { SUDO_USER: 'alice' })).status).toBe(0)
    expect((await command(['token', 'set', '--root', root], {}, 'another-token\n')).status).toBe(0)
    expect([left(state).length, left(join(root, 'etc')).length]).toEqual([1, 1])
    expect(readFileSync(join(inboxOf(join(root, 'etc')), left(join(root, 'etc'))[0] ?? ''), 'utf8')).not.toContain(
      'another-token',
    )
    // The server comes.
    appliance.app.tidy()
    expect(await entries('users.reset')).toEqual([
      expect.objectContaining({
        ...{ actor: 'local', resource: `users/${user.id}`, result: 'success', ip: 'local' },
        user_agent: 'edge-admin user reset, for alice',
      }),
    ])
    expect(await entries('token.update')).toEqual([expect.objectContaining({ actor: 'local', resource: 'token' })])
    expect(appliance.audit().at(-1)).toMatch(/,web,local,token\.update,"token",local$/)
    await until('what was entered is taken away', () => left(state).length + left(join(root, 'etc')).length === 0)
  })

  it('is found at once by whoever asks a server that runs', async () => {
    const before = (await entries('users.reset')).length
    await command(['user', 'reset', 'forgetful', '--statedir', appliance.folders.state])
    expect(await entries('users.reset')).toHaveLength(before + 1)
  })

  it('leaves nothing when it changed nothing', async () => {
    const { state } = appliance.folders
    const before = await entries('users.reset')
    expect((await command(['user', 'reset', 'absent', '--statedir', state])).status).toBe(1)
    expect(() => recorded(state, { action: 'users.reset', resource: 'x', by: 'a test' }, () => raise())).toThrow('no')
    expect([left(state), await entries('users.reset')]).toEqual([[], before])
  })

  it('that was killed in the middle is entered as such, once it cannot be under way any more', async () => {
    const { state } = appliance.folders
    recorded(state, { action: 'users.reset', resource: 'users/killed', by: 'a test' }, () => {
      const [name = ''] = left(state)
      expect(name).toMatch(/\.begun$/)
      writeFileSync(join(state, 'kept'), readFileSync(join(inboxOf(state), name)))
    })
    await entries('users.reset')
    const begun = join(inboxOf(state), '20260101T000000000Z-00000000.begun')
    renameSync(join(state, 'kept'), begun)
    const count = async () =>
      (await entries('users.reset')).filter(({ result }: { result: string }) => result === 'failure')
    expect(await count()).toEqual([])
    utimesSync(begun, new Date(0), new Date(0))
    expect(await count()).toEqual([
      expect.objectContaining({
        message: expect.stringMatching(/^interrupted at 20.*whether it was done is not known$/),
      }),
    ])
  })

  it('does not make the server read what others lay there', async () => {
    const folder = inboxOf(appliance.folders.state)
    const odd = ['20260101T000000000Z-11111111.json', 'x.json', '20260101T000000000Z-22222222.json']
    writeFileSync(join(folder, odd[0] ?? ''), '{"at":1}')
    writeFileSync(join(folder, odd[1] ?? ''), 'x')
    mkdirSync(join(folder, odd[2] ?? ''))
    const before = appliance.warnings.length
    expect(await entries('users.reset')).not.toEqual([])
    expect(appliance.warnings.slice(before).join('\n')).toMatch(/damaged/)
  })

  it('does not end a server that cannot read the folder, which says so once', () => {
    const parent = temporaryFolder()
    symlinkSync('entries', inboxOf(parent))
    const said: string[] = []
    const inbox = new Inbox([parent], {
      enter: () => {},
      saved: async () => {},
      warn: (text) => void said.push(text),
    })
    inbox.look()
    inbox.look()
    expect(said).toEqual(['what commands left for the audit log cannot be read'])
  })

  /** An inbox of a folder with one entry, and what it did. */
  function withOne(saved: () => Promise<void>, patience = 0) {
    const parent = temporaryFolder()
    recorded(parent, { action: 'users.reset', resource: 'x', by: 'a test' }, () => {})
    const entered: string[] = []
    const said: string[] = []
    const enter = ({ action }: { action: string }) => void entered.push(action)
    const inbox = new Inbox([parent], { enter, saved, warn: (text) => void said.push(text) }, patience)
    const look = async (times: number) => {
      for (let i = 0; i < times; i++) {
        inbox.look()
        await new Promise(setImmediate)
      }
    }
    return { parent, entered, said, look }
  }

  it('stays until the log has room for it', async () => {
    let room = false
    const one = withOne(async () => {
      if (!room) throw new EntryDropped(new Error('full'))
    })
    await one.look(3)
    expect([left(one.parent).length, one.said.length]).toEqual([1, 1])
    room = true
    await one.look(1)
    expect(left(one.parent)).toEqual([])
    const patient = withOne(() => Promise.reject(new EntryDropped(new Error('full'))), 60_000)
    await patient.look(3)
    expect(patient.entered).toHaveLength(1)
  })

  it('is entered once, also while the disk will not take it away or may not have it', async () => {
    const one = withOne(async () => {})
    disk.keeps = one.parent
    await one.look(3)
    expect([one.entered.length, one.said.length, left(one.parent).length]).toEqual([1, 1, 1])
    disk.keeps = ''
    await one.look(1)
    expect([one.entered.length, left(one.parent).length]).toEqual([1, 0])
    const unsafe = withOne(() => Promise.reject(new Error('i/o')))
    await unsafe.look(3)
    expect([unsafe.entered.length, left(unsafe.parent).length]).toEqual([1, 1])
  })

  it('leaves what is not known when it failed after a part of the change', () => {
    const { root } = appliance.folders
    const folder = temporaryFolder()
    const [one, two] = [join(folder, 'one'), join(folder, 'two')]
    writeFileSync(one, '')
    const entry = { action: 'token.update', resource: 'token', by: 'a test' }
    expect(() => recorded(folder, entry, () => raise(), [one, two])).toThrow('no')
    expect(left(folder)).toEqual([])
    const half = () => {
      renameSync(one, two)
      raise()
    }
    expect(() => recorded(folder, entry, half, [one, two])).toThrow('no')
    expect(left(folder)).toEqual([expect.stringMatching(/\.begun$/)])
    // The command: its second file cannot be replaced.
    const setup = join(root, 'etc/api.token.setup')
    renameSync(setup, `${setup}.aside`)
    mkdirSync(setup)
    const before = left(join(root, 'etc')).length
    return command(['token', 'rotate', '--root', root]).then(({ status }) => {
      expect([status, left(join(root, 'etc')).length]).toEqual([1, before + 1])
    })
  })

  it('is refused when its entry cannot be left', async () => {
    const state = temporaryFolder()
    writeFileSync(inboxOf(state), 'in the way')
    chmodSync(state, 0o700)
    let done = false
    expect(() =>
      recorded(state, { action: 'users.reset', resource: 'x', by: 'a test' }, () => {
        done = true
      }),
    ).toThrow()
    expect(done).toBe(false)
  })
})

function raise(): never {
  throw new Error('no')
}
