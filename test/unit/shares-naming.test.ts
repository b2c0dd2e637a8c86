// Which shares stand in the way of the removal of a share user or group: those that name it, in whatever way Samba reads.
import { hostname } from 'node:os'
import { describe, expect, it } from 'vitest'
import type { Section } from '../../src/drivers/smb-conf.ts'
import { sharesNaming } from '../../src/features/shares/naming.ts'
import type { Shares } from '../../src/features/shares/shares.ts'

type Parameters = Record<string, string>

async function reasons(kind: 'user' | 'group', name: string, share: Parameters, global: Parameters = {}) {
  const section: Section = { name: 'global', parameters: new Map(Object.entries(global)) }
  const sections = async () => [
    { id: 'smb-1', name: 'data', get: (parameter: string) => share[parameter] ?? global[parameter], global: section },
  ]
  const found = await sharesNaming({ smb: { sections } } as unknown as Pick<Shares, 'smb'>, name, kind)
  return found.map(({ reason }) => reason)
}
const named = async (kind: 'user' | 'group', name: string, entry: string, global?: Parameters) =>
  (await reasons(kind, name, { 'valid users': entry }, global)).length > 0

describe('a share names a share user', () => {
  const server = (hostname().split('.')[0] ?? '').slice(0, 15)

  it.each([
    'anna',
    'ANNA',
    `${server}\\anna`,
    `${server.toUpperCase()}\\Anna`,
    `anna@${server}`,
    'Unix User\\anna',
    '"Unix User\\anna"',
    'bob, anna',
  ])('as %s', async (entry) => {
    const quoted = entry.includes(' ') && !/[",]/.test(entry) ? `"${entry}"` : entry
    expect(await named('user', 'anna', quoted)).toBe(true)
  })

  it.each(['@anna', '+anna', 'CORP\\anna', 'anna@corp.example.com', 'anna2', 'joanna', ''])(
    'not as %s',
    async (entry) => {
      expect(await named('user', 'anna', entry)).toBe(false)
    },
  )

  it('with a blank in its name', async () => {
    expect(await named('user', 'jo doe', '"NAS\\jo doe"', { 'netbios name': 'NAS' })).toBe(true)
    expect(await reasons('user', 'jo doe', { 'force user': 'jo doe' })).toEqual(['names it in the force user of data'])
  })

  it('with the name, an alias and the separator that Samba is configured to', async () => {
    const global = { 'netbios name': 'NAS', 'netbios aliases': 'FILES OLD', 'winbind separator': '+' }
    for (const entry of ['NAS+anna', 'files\\anna', 'OLD+anna'])
      expect([entry, await named('user', 'anna', entry, global)]).toEqual([entry, true])
    expect(await named('user', 'anna', `${server}\\anna`, global)).toBe(false)
  })

  it('in any of its lists, also by the default of all shares', async () => {
    const share = { 'valid users': 'bob', 'write list': 'anna', 'admin users': 'NAS\\anna', 'hosts allow': 'anna' }
    expect(await reasons('user', 'anna', share, { 'netbios name': 'NAS', 'invalid users': 'anna' })).toEqual([
      'names it in the invalid users, write list and admin users of data',
    ])
    expect(await reasons('user', 'anna', {}, { 'admin users': 'anna' })).toEqual([
      'names it in the admin users of data',
    ])
  })
})

describe('a share names a share group', () => {
  it.each(['@crew', '+crew', '&crew', '+&crew', 'crew', '@NAS\\crew', '@Unix Group\\crew', '@crew@NAS'])(
    'as %s',
    async (entry) => {
      expect(await named('group', 'crew', `"${entry}"`, { 'netbios name': 'NAS' })).toBe(true)
    },
  )

  it('as that of new files', async () => {
    expect(await reasons('group', 'crew', { 'force group': '+crew' })).toEqual(['names it in the force group of data'])
  })

  it.each(['@CORP\\crew', '@crew@corp.example.com', '@crews'])('not as %s', async (entry) => {
    expect(await named('group', 'crew', entry)).toBe(false)
  })
})
