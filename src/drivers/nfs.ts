// The kernel's NFS server: its export table through `exportfs`, its threads through /proc. The exit status of
// `exportfs` is not enough: it is 0 when a client could not be resolved and was left out, and 1 when only some other
// export has an error. So its messages are read, too.
import { readFileSync } from 'node:fs'
import { type Active, parseActive } from './exports-file.ts'
import type { Tool } from './programs.ts'
import { CommandError } from './run.ts'

export type Nfs = ReturnType<typeof createNfs>

const SLOW = { timeout: 60_000, maxBytes: 16 << 20 }
/** On a system whose only exports are those of /etc/exports.d. */
const NO_MAIN_FILE = /can't open \/etc\/exports for reading/

export function createNfs(tool: Tool, threads = '/proc/fs/nfsd/threads') {
  return {
    /** Everything that is exported now, whoever configured it. */
    active: async (): Promise<Active[]> => parseActive((await tool('exportfs', ['-s'], SLOW)).stdout),

    /**
     * Loads the table from the files. Returns the messages of `exportfs`, which may be about any export; rejects if it
     * could not run.
     */
    async apply(): Promise<CommandError | undefined> {
      const args = ['-ra']
      const { stderr, status } = await tool('exportfs', args, { ...SLOW, accept: [1] })
      const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !NO_MAIN_FILE.test(line))
      if (lines.length === 0) return undefined
      return new CommandError(['exportfs', ...args], 'status', lines.map(withoutFolder).join('\n'), status)
    },

    /** Whether the server has threads. */
    isRunning(): boolean {
      try {
        return Number(readFileSync(threads, 'utf8')) > 0
      } catch {
        return false
      }
    },
  }
}

/** `exportfs: /etc/exports.d/x.exports:3: …` without the folder. */
const withoutFolder = (line: string) => line.replace(/\/\S*\/([^/\s]+\.exports)\b/g, '$1').replace(/^exportfs: /, '')
