// Samba's accounts: read and imported through `pdbedit`, their passwords set with `smbpasswd`. A password goes to its
// standard input, a hash into a file that only root can read: neither is ever an argument. `pdbedit -i` succeeds even
// where it took nothing, so callers read back what they imported.
import type { Tool } from './programs.ts'
import { CommandError } from './run.ts'

export interface SambaUser {
  name: string
  uid: number
  /** The NT hash in upper case; undefined if the account has no password. */
  hash: string | undefined
  disabled: boolean
  /** When the password was set, in seconds since 1970. */
  changed: number
}

export type SambaAccounts = ReturnType<typeof createSambaAccounts>

const SLOW = { timeout: 60_000, maxBytes: 16 << 20 }
const NONE = 'X'.repeat(32)
const LINE = /^([^:]+):([0-9]+):[^:]{32}:([0-9A-FX]{32}):\[([A-Z ]*)\]:LCT-([0-9A-F]{8}):/

export function createSambaAccounts(tool: Tool) {
  return {
    async list(): Promise<SambaUser[]> {
      const { stdout } = await tool('pdbedit', ['-L', '-w'], SLOW)
      return stdout.split('\n').flatMap((line) => {
        const [, name = '', uid, hash = '', flags = '', changed = ''] = LINE.exec(line) ?? []
        if (name === '') return []
        const known = /^[0-9A-F]{32}$/.test(hash) ? hash : undefined
        return [{ name, uid: Number(uid), hash: known, disabled: flags.includes('D'), changed: parseInt(changed, 16) }]
      })
    },

    /** Adds or replaces the accounts in `file`, which holds lines of `formatSambaUser`. */
    async importFile(file: string): Promise<void> {
      await tool('pdbedit', ['-i', `smbpasswd:${file}`], SLOW)
    },

    async setPassword(name: string, password: string): Promise<void> {
      await tool('smbpasswd', ['-s', '--', name], { ...SLOW, input: `${password}\n${password}\n` })
    },

    async disable(name: string): Promise<void> {
      await tool('smbpasswd', ['-d', '--', name], SLOW)
    },

    async remove(name: string): Promise<void> {
      try {
        await tool('pdbedit', ['-x', '-u', name], SLOW)
      } catch (error) {
        if (!(error instanceof CommandError) || !/does not exist in the passdb|not found/i.test(error.stderr))
          throw error
      }
    },

    /** Samba's own rule for passwords; it is not applied to root, who sets them here. */
    async minimumLength(): Promise<number> {
      const { stdout } = await tool('pdbedit', ['-P', 'min password length'], SLOW)
      return Number(/value is: ([0-9]+)/.exec(stdout)?.[1] ?? 0)
    },
  }
}

/** A line of the smbpasswd format. Without a hash nobody can log in. */
export function formatSambaUser({ name, uid, hash, disabled, changed }: SambaUser): string {
  const flags = `${disabled || hash === undefined ? 'D' : ''}U`.padEnd(11)
  const time = changed.toString(16).toUpperCase().padStart(8, '0')
  return `${name}:${uid}:${NONE}:${hash ?? NONE}:[${flags}]:LCT-${time}:\n`
}
