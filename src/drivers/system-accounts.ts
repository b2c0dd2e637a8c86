// Accounts and groups of the system: read through `getent`, changed with the programs of the shadow suite. Names may
// hold blanks and letters of any script: `useradd` takes them with --badname only, and a later version may refuse them.
import type { Tool } from './programs.ts'
import { CommandError } from './run.ts'

export interface SystemUser {
  name: string
  uid: number
  gid: number
  full_name: string
  home: string
  shell: string
}

export interface SystemGroup {
  name: string
  gid: number
  members: string[]
}

/** Nobody logs in with such an account: it has no password, no shell and no home. */
export const NO_LOGIN = { home: '/nonexistent', shell: '/usr/sbin/nologin' }

export type SystemAccounts = ReturnType<typeof createSystemAccounts>

/** A directory server may be behind `getent`. */
const READ = { timeout: 30_000, maxBytes: 32 << 20 }
/** They wait up to 15 seconds for each other's lock. */
const CHANGE = { timeout: 60_000 }
const PLAIN = /^[a-z_][a-z0-9_-]{0,30}$/
/** No range of subordinate IDs, which are for containers: ten thousand accounts would use them up. */
const NO_SUBORDINATES = ['-K', 'SUB_UID_COUNT=0', '-K', 'SUB_GID_COUNT=0']

export function createSystemAccounts(tool: Tool) {
  /**
   * All entries, or those with the given names and numbers. A directory server lists nothing, but finds what is asked
   * for.
   */
  async function entries(database: 'passwd' | 'group', width: number, keys: string[]): Promise<string[][]> {
    // Status 2: one of the keys is not there.
    const { stdout } =
      keys.length > 0
        ? await tool('getent', [database, '--', ...keys], { ...READ, accept: [2] })
        : await tool('getent', [database], READ)
    const lines = new Set(stdout.split('\n'))
    return [...lines].map((line) => line.split(':')).filter((fields) => fields.length >= width)
  }
  const change = async (...[name, args]: Parameters<Tool>) => void (await tool(name, args, CHANGE))
  return {
    async users(...keys: string[]): Promise<SystemUser[]> {
      const found = await entries('passwd', 7, keys)
      return found.map(([name = '', , uid, gid, full_name = '', home = '', shell = '']) => ({
        ...{ name, uid: Number(uid), gid: Number(gid), full_name, home, shell },
      }))
    },

    async groups(...keys: string[]): Promise<SystemGroup[]> {
      const found = await entries('group', 4, keys)
      return found.map(([name = '', , gid, members = '']) => ({
        ...{ name, gid: Number(gid), members: members.split(',').filter(Boolean) },
      }))
    },

    addUser: ({ name, uid, gid, full_name }: Omit<SystemUser, 'home' | 'shell'>) =>
      change('useradd', [
        ...(PLAIN.test(name) ? [] : ['--badname']),
        ...['--no-create-home', '--home-dir', NO_LOGIN.home, '--shell', NO_LOGIN.shell, ...NO_SUBORDINATES],
        ...['--no-user-group', '--gid', String(gid), '--uid', String(uid), '--comment', full_name, '--', name],
      ]),

    /** Gives an account the full name, group, home and shell that it should have. */
    correctUser: ({ name, gid, full_name }: Omit<SystemUser, 'home' | 'shell' | 'uid'>) =>
      change('usermod', [
        ...['--home', NO_LOGIN.home, '--shell', NO_LOGIN.shell],
        ...['--gid', String(gid), '--comment', full_name, '--', name],
      ]),

    removeUser: (name: string) => gone('userdel', ['--', name]),

    addGroup: (name: string, gid: number) => change('groupadd', ['--gid', String(gid), '--', name]),

    /** Replaces all members in one step. */
    setMembers: (name: string, members: string[]) => change('gpasswd', ['--members', members.join(','), '--', name]),

    removeGroup: (name: string) => gone('groupdel', ['--', name]),
  }

  /** Status 6: it is not there. */
  async function gone(name: 'userdel' | 'groupdel', args: string[]): Promise<void> {
    try {
      await tool(name, args, CHANGE)
    } catch (error) {
      if (!(error instanceof CommandError) || error.status !== 6) throw error
    }
  }
}
