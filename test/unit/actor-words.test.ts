// Names of accounts beside the words that the product writes for what is no account.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { accountLabel, isReservedName } from '../../src/auth/actor-words.ts'
import { callerName, type Principal } from '../../src/auth/principal.ts'
import { UserName } from '../../src/features/users/rules.ts'
import { AuditLog } from '../../src/http/pipeline/audit.ts'
import type { AuditEntry } from '../../src/http/pipeline/audit-entry.ts'
import { SampleLog } from './audit-log.ts'

const session = { id: 't', expires: 9e9, until: 9e9 }
const token: Principal = { account: 'appliance-token', role: 'administrator', via: 'hash' }
const account = (name: string): Principal => ({
  ...{ account: { id: 'user-1', name, generation: 1 }, role: 'viewer', via: 'jwt', session },
})

describe('a name that the product itself writes', () => {
  it('is refused for a new account, however it is spelled', () => {
    for (const name of [
      'token',
      'Token',
      'TOKEN',
      'system',
      'nobody',
      'local',
      'account',
      't0ken',
      'to-ken',
      'to.ken',
      'sy5tem',
      'l0cal',
      '1ocal',
      'n0body',
    ])
      expect([name, UserName.safeParse(name).success]).toEqual([name, false])
    // What the form of a name does not let through today anyway.
    for (const name of ['tоken', 'ｔｏｋｅｎ', 'tok\u200ben', 'tóken', 'sуstem', 'ѕystem', 'ⓣoken', ' token '])
      expect([name, isReservedName(name)]).toEqual([name, true])
  })
  it('is not every name that looks a little like one', () => {
    for (const name of ['admin', 'administrator', 'tokens', 'token-bot', 'localhost', 'systems', 'nobody2', 'alice'])
      expect([name, UserName.safeParse(name).success]).toEqual([name, true])
  })
  it('is marked where an older account has it, and beside what it begins', () => {
    expect(['token', 'System', 'admin', 'alice'].map(accountLabel)).toEqual([
      'token@account',
      'System@account',
      'admin',
      'alice',
    ])
    expect([token, account('token'), account('admin'), undefined].map(callerName)).toEqual([
      'token',
      'token@account',
      'admin',
      'nobody',
    ])
  })
})

describe('who acted', () => {
  let folder: string
  let chain: SampleLog
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'edge-admin-'))
    chain = new SampleLog()
  })
  afterEach(() => {
    chain.remove()
    rmSync(folder, { recursive: true })
  })

  it('can be told from the original’s line and from the chain: the token, an account called admin, one called token, the system', () => {
    const log = new AuditLog(join(folder, 'lines.log'), () => {}, chain.chain)
    const common = { event: 'settings.post', target: 'dhcp', address: '192.0.2.1' }
    const acted: Partial<AuditEntry>[] = [
      { actor: 'admin', account: 'token', name: 'admin' },
      { actor: 'admin', account: 'user-1', name: 'admin' },
      { actor: 'token', account: 'user-2', name: 'token' },
      { actor: 'alice', account: 'user-3', name: 'alice' },
      { actor: 'system', account: 'system' },
      { actor: 'local', account: 'local' },
      { actor: 'admin', name: 'admin', failure: '401' },
    ]
    for (const one of acted) log.write({ ...common, ...one })
    const lines = readFileSync(join(folder, 'lines.log'), 'utf8').trimEnd().split('\n')
    expect(lines.map((line) => line.split(',')[3])).toEqual([
      'admin',
      'admin@account',
      'token@account',
      'alice',
      'system',
      'local',
      'admin@account',
    ])
    // Old readers take the line apart at its commas.
    for (const line of lines)
      expect(line).toMatch(/^\d+\.\d{9},[0-9a-f]{16},web,[^,"]+,settings\.post,"dhcp",192\.0\.2\.1$/)
    expect(chain.all().map(({ actor, name }) => [actor, name])).toEqual([
      ['token', undefined],
      ['user-1', 'admin'],
      ['user-2', 'token@account'],
      ['user-3', 'alice'],
      ['system', undefined],
      ['local', undefined],
      ['nobody', 'admin'],
    ])
  })
})
