// The locate LED of a disk's slot: the kernel's file of the enclosure (SES) where there is one, else `ledctl` of ledmon.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errno } from '../errors.ts'
import { type Tool, toolMessage } from './programs.ts'
import { CommandError } from './run.ts'

export type Leds = ReturnType<typeof createLeds>

/** Milliseconds: the enclosure answers slowly. */
const TIMEOUT = 20_000

export interface Light {
  /** The folder of the slot in /sys. */
  slotFolder: string | undefined
  /** `/dev/sda` */
  device: string
}

export function createLeds(tool: Tool) {
  /** Whether it is on; undefined where there is no such file, or it cannot be read. */
  async function isOn(slotFolder: string | undefined): Promise<boolean | undefined> {
    if (slotFolder === undefined) return undefined
    const text = (await readFile(join(slotFolder, 'locate'), 'utf8').catch(() => '')).trim()
    return /^[0-9]+$/.test(text) ? text !== '0' : undefined
  }

  /** Undefined, or why it cannot be switched. */
  async function throughKernel(slotFolder: string, on: boolean): Promise<string | undefined> {
    try {
      // Only an existing file is opened, never a new one made.
      await writeFile(join(slotFolder, 'locate'), on ? '1' : '0', { flag: 'r+' })
    } catch (error) {
      return `The enclosure does not take it (${errno(error) ?? 'unknown'})`
    }
    return (await isOn(slotFolder)) === on ? undefined : 'The enclosure took it, and its LED did not change'
  }

  async function throughProgram(device: string, on: boolean): Promise<string | undefined> {
    try {
      await tool('ledctl', [`${on ? 'locate' : 'locate_off'}=${device}`], { timeout: TIMEOUT })
      return undefined
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      if (error.reason === 'missing')
        return 'The kernel knows no slot for this disk, and ledctl (ledmon) is not installed'
      return toolMessage(error) || 'ledctl cannot switch the LED of this disk'
    }
  }

  return {
    isOn,

    /** Undefined, or the reason why there is no LED to switch. */
    async set({ slotFolder, device }: Light, on: boolean): Promise<string | undefined> {
      const refusal = slotFolder === undefined ? '' : await throughKernel(slotFolder, on)
      if (refusal === undefined) return undefined
      const reason = await throughProgram(device, on)
      return reason === undefined ? undefined : refusal || reason
    },
  }
}
