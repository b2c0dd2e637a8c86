// Who uses the SMB shares, and the end of a session. The inside of Samba is a model behind the fakes; in the virtual
// machine a real client is listed and closed.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FAKES_ONLY, REAL, startStorage, type World } from './storage-world.ts'

const SESSIONS = '/shares/smb/sessions'

describe.skipIf(REAL)(`SMB sessions ${FAKES_ONLY}`, () => {
  let world: World
  beforeAll(async () => {
    world = await startStorage()
  })
  afterAll(() => world?.close())
  beforeEach(() => {
    world.fakes?.faults()
    world.fakes?.change((model) => {
      model['samba'] = {
        registry: { data: [['path', '/srv']] },
        include: true,
        smbd: true,
        sessions: [
          {
            id: '11',
            pid: 4711,
            uid: 1000,
            username: 'alice',
            client: '10.0.0.5',
            shares: ['data', 'IPC$'],
            files: ['/srv/a', '/srv/b'],
          },
          { id: '12', pid: 4712, uid: 1001, username: 'bo\u001bb', client: '10.0.0.6' },
        ],
      }
    })
  })
  const sessions = () => world.ask('GET', SESSIONS, { as: 'viewer' })

  it('are listed with their user, client and shares', async () => {
    const { status, json } = await sessions()
    const common = { dialect: 'SMB3_11', encrypted: false, signed: true }
    expect([status, json]).toEqual([
      200,
      [
        {
          ...common,
          id: '11',
          username: 'alice',
          client: '10.0.0.5',
          shares: ['IPC$', 'data'],
          open_files: 2,
          since: '2026-11-30T09:45:55.995Z',
        },
        { ...common, id: '12', username: 'bo\u001bb', client: '10.0.0.6', shares: [], open_files: 0 },
      ],
    ])
    const files = await world.ask('GET', '/shares/smb/files', { as: 'viewer' })
    const file = {
      session: '11',
      username: 'alice',
      client: '10.0.0.5',
      access: 'RW',
      since: '2026-11-30T09:45:55.995Z',
    }
    expect(files.json).toEqual([
      { ...file, path: '/srv/a' },
      { ...file, path: '/srv/b' },
    ])
  })

  it('are closed one by one, and answered when Samba no longer lists them', async () => {
    const before = world.appliance.audit().length
    const { status, json } = await world.ask('DELETE', `${SESSIONS}/11`)
    expect([status, json]).toEqual([200, { message: 'session closed' }])
    expect((await sessions()).json.map(({ id }: { id: string }) => id)).toEqual(['12'])
    const calls = world.fakes?.calls().filter(({ program }) => program === 'smbcontrol')
    expect(calls?.map(({ args }) => args.join(' '))).toEqual(['4711 shutdown'])
    expect(world.appliance.audit().slice(before)).toEqual([
      expect.stringContaining('operator,smb-sessions.close,"shares/smb/sessions/11"'),
    ])
  })

  it('are never a process of the request: what Samba does not list is not there', async () => {
    for (const id of ['4711', '1', '-1', 'all', '11 12']) {
      const calls = world.fakes?.calls().filter(({ program }) => program === 'smbcontrol').length
      const { status } = await world.ask('DELETE', `${SESSIONS}/${encodeURIComponent(id)}`)
      expect([id, status]).toEqual([id, 404])
      expect(world.fakes?.calls().filter(({ program }) => program === 'smbcontrol').length).toBe(calls)
    }
  })

  it('of a process that Samba cannot name are left alone', async () => {
    for (const pid of [0, 1, -5, 'all']) {
      world.fakes?.change((model) => {
        model['samba'].sessions[0].pid = pid
      })
      const { status, json } = await world.ask('DELETE', `${SESSIONS}/11`)
      expect([pid, status, json.code]).toEqual([pid, 502, 'COMMAND_FAILED'])
    }
  })

  it('that go on are no success', async () => {
    world.fakes?.change((model) => {
      model['samba'].sessions[0].stays = true
    })
    const { status, json } = await world.ask('DELETE', `${SESSIONS}/11`)
    expect([status, json.message]).toEqual([502, 'Samba has not ended the session'])
  })

  it('of one share are closed together', async () => {
    const [{ id }] = (await world.ask('GET', '/shares/smb')).json
    const { status } = await world.ask('POST', `/shares/smb/${id}/disconnect`)
    expect([status, world.fakes?.model()['samba'].told]).toEqual([200, ['smbd close-share data']])
    expect((await world.ask('POST', '/shares/smb/smb-000000000000/disconnect')).status).toBe(404)
  })

  it('say what is missing: smbstatus, or its JSON', async () => {
    world.fakes?.faults({ program: 'smbstatus', stderr: 'Invalid option --json: unknown option', status: 1 })
    const old = await sessions()
    expect([old.status, old.json.message]).toEqual([503, 'smbstatus has no JSON output: Samba 4.16 or later is needed'])
    world.fakes?.faults({ program: 'smbstatus', stdout: '{"sessions": ' })
    expect((await sessions()).status).toBe(502)
    world.fakes?.faults({ program: 'smbstatus', stdout: '[]', status: 0 })
    expect([(await sessions()).status, (await sessions()).json]).toEqual([200, []])
  })
})
