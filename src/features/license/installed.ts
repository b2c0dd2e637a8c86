// The licence on the appliance: judged by the vendor's bin/license.sh when there is one, else by the signature of our own format.
// The trap: a rejected file never replaces the good one. The vendor's script reads one fixed file, so the task swaps and swaps back.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Run } from '../../drivers/run.ts'
import { etc, type Folders } from '../../folders.ts'
import { ApiError, busy, invalid, notFound } from '../../http/errors.ts'
import { readEdited, readText, writeAtomic } from '../../store/atomic.ts'
import { decodeText } from '../../store/text.ts'
import { scriptFile } from '../../tasks/task.ts'
import type { Asker, Tasks } from '../../tasks/tasks.ts'
import { readLicense } from './license.ts'

export interface LicenseNeeds {
  folders: Folders
  tasks: Tasks
  run: Run
}

/** The vendor's script. */
export const licenseScript = (folders: Folders) => join(folders.root, 'bin/license.sh')

/** The installed licence as JSON text; undefined when there is none. Throws a 404 that gives the reason when the licence is no longer valid. */
export async function installedLicense({ folders, run, tasks }: LicenseNeeds): Promise<string | undefined> {
  if (existsSync(licenseScript(folders))) {
    // While a candidate is being judged the file is not yet the licence.
    const judged = tasks.latest('license')
    if (judged && tasks.isRunning('license')) await tasks.wait(judged.id)
    try {
      const { stdout } = await run(licenseScript(folders), [], { timeout: 30_000 })
      return stdout.trim() === '' ? undefined : stdout
    } catch {
      return undefined
    }
  }
  try {
    const text = readOwn(folders, 'license.asc')
    const key = readOwn(folders, 'license.pub')
    if (text === undefined || key === undefined) return undefined
    return JSON.stringify(readLicense(text, key))
  } catch (cause) {
    if (!(cause instanceof ApiError)) throw cause
    throw notFound('', { cause, words: `There is no valid licence: ${cause.message}` })
  }
}

/** A file of the appliance's that is there and cannot be read is named: it is not the caller's that is wrong. */
function readOwn(folders: Folders, name: 'license.asc' | 'license.pub'): string | undefined {
  try {
    return readEdited(etc(folders, name))
  } catch (cause) {
    throw invalid(`${name} on this system is not text in UTF-8`, { cause })
  }
}

/** The licence is signed for what it says, not for how an editor saved it. */
function uploadedText(file: string): string {
  try {
    return decodeText(readFileSync(file))
  } catch (cause) {
    throw invalid(`The license file cannot be read. Found: ${cause instanceof Error ? cause.message : 'no text'}`, {
      cause,
    })
  }
}

/** Installs a received file; returns the licence as JSON text. Throws, with the old licence in place, when it is not accepted. */
export async function installLicense(needs: LicenseNeeds, file: string, by: Asker): Promise<string> {
  const { folders, tasks } = needs
  if (!existsSync(licenseScript(folders))) {
    const key = readOwn(folders, 'license.pub')
    if (key === undefined) throw invalid('This system has no licence key to check a licence with')
    const text = uploadedText(file)
    const license = readLicense(text, key)
    writeAtomic(etc(folders, 'license.asc'), text)
    return JSON.stringify(license)
  }
  const task = tasks.start('license', { inputs: { 'license.asc': { file } }, by })
  if (!task) throw busy('A licence is being installed already')
  const ended = await tasks.wait(task.id)
  const output = readText(scriptFile(folders, task.id, 'output.json'))
  if (ended?.status !== 'completed' || output === undefined) throw invalid('The licence was rejected')
  return output
}
