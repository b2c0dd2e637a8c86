// Samba: its configuration through `testparm` and the registry (`net conf`), its server through `smbcontrol`. `net
// conf` succeeds even if smb.conf does not include the registry or cannot be loaded, so `effective` is checked first;
// and it prints its errors on standard output.

import type { Tool } from './programs.ts'
import { CommandError, type Output } from './run.ts'
import { parseSections, type Section } from './smb-conf.ts'

export interface Effective {
  /** Whether shares in the registry are served at all. */
  registry: boolean
  global: Section
  /** From the registry and from smb.conf itself, without `[global]`. */
  shares: Section[]
}

export type Samba = ReturnType<typeof createSamba>

const SLOW = { timeout: 30_000, maxBytes: 16 << 20 }
/** Messages that the programs always print. */
const REMARK = /^(?:Load smb config|lp_load_ex|Loaded services|Weak crypto|NOTE:|Server role|$)/

export function createSamba(tool: Tool) {
  /** Runs `net conf`; its refusals are in the error, like those of any program. */
  async function net(args: string[]): Promise<string> {
    const { stdout, stderr, status } = await saying(tool('net', ['conf', ...args], { ...SLOW, accept: [255] }))
    const complaint = status !== 0 || /^(?:Can't load|Failed to|error)/i.test(stdout)
    if (complaint) throw new CommandError(['net', 'conf', ...args], 'status', `${stdout}\n${stderr}`, status)
    return stdout
  }
  async function ping(): Promise<'answers' | 'silent' | 'none'> {
    try {
      const { stdout } = await tool('smbcontrol', ['--timeout=5', 'smbd', 'ping'], SLOW)
      return stdout.includes('PONG') ? 'answers' : 'silent'
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      return error.reason === 'missing' || error.stderr.includes("Can't find pid") ? 'none' : 'silent'
    }
  }
  return {
    /** The configuration as smbd reads it. */
    async effective(): Promise<Effective> {
      const { stdout } = await saying(tool('testparm', ['-s'], SLOW))
      const sections = parseSections(stdout)
      const global = sections.find(({ name }) => name.toLowerCase() === 'global')
      if (!global) throw new CommandError(['testparm', '-s'], 'status', 'testparm showed no [global] section', 0)
      return {
        registry: /^yes$/i.test(global.parameters.get('registry shares') ?? ''),
        global,
        shares: sections.filter((section) => section !== global),
      }
    },

    /** A share's section in the registry, unchanged. Undefined if there is none. */
    async show(name: string): Promise<Section | undefined> {
      try {
        return parseSections(await net(['showshare', name]))[0]
      } catch (error) {
        if (error instanceof CommandError && error.stderr.includes('SBC_ERR_NO_SUCH_SERVICE')) return undefined
        throw error
      }
    },

    /**
     * Replaces the share by the section of that name in `file`, in one registry transaction: completely or not at all.
     */
    async replace(file: string, name: string): Promise<void> {
      await net(['import', file, name])
    },

    async remove(name: string): Promise<void> {
      await net(['delshare', name])
    },

    /** Whether smbd responds. */
    isRunning: async () => (await ping()) === 'answers',

    /**
     * Whether an smbd is running that has to be told of changes; one that is too busy to respond learns of them later.
     */
    hasServer: async () => (await ping()) !== 'none',

    async reload(): Promise<void> {
      await tool('smbcontrol', ['all', 'reload-config'], SLOW)
    },

    /** Closes the connections to a share: all of them, or those of users who have lost access. */
    async disconnect(name: string, who: 'all' | 'denied'): Promise<void> {
      await tool('smbcontrol', ['smbd', who === 'all' ? 'close-share' : 'close-denied-share', name], SLOW)
    },
  }
}

/** Keeps only those lines of standard error that are about this call. */
async function saying(output: Promise<Output>): Promise<Output> {
  try {
    return await output
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    const lines = error.stderr.split('\n').filter((line) => !REMARK.test(line))
    throw new CommandError(error.argv, error.reason, lines.join('\n'), error.status)
  }
}
