// The license on the appliance: judged by the vendor's bin/license.sh if there is one, else by the signature of our own
// format. A rejected file never replaces the valid one. The vendor's script reads a fixed path, so the task swaps the
// candidate in, and back if it is rejected.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Run } from '../../drivers/run.ts'
import { ApiError, invalid, locked, notFound } from '../../errors.ts'
import { etc, type Folders } from '../../folders.ts'
import { readEdited, readText, replaceAtomic } from '../../store/atomic.ts'
import { decodeText } from '../../store/text.ts'
import { CONTRACT, isFinal, scriptFile } from '../../tasks/task.ts'
import type { Asker, Tasks } from '../../tasks/tasks.ts'
import type { MemoryImage } from '../memory-image.ts'
import { readLicense } from './license.ts'
import { askVendor, type Verdict } from './verdict.ts'

export interface LicenseNeeds {
  folders: Folders
  tasks: Tasks
  run: Run
  memory: MemoryImage
  /** What log lines call this machine. */
  label: string
  warn: (text: string) => void
}

/** The vendor's script. */
export const licenseScript = (folders: Folders) => join(folders.root, 'bin/license.sh')

/** A folder of that name, or a dangling link, does not count as a hook: then the license is in our own format. */
export function vendorJudges(folders: Folders): boolean {
  try {
    return statSync(licenseScript(folders)).isFile()
  } catch {
    return false
  }
}

export class InstalledLicense {
  readonly #needs: LicenseNeeds
  #asking: Promise<Verdict> | undefined
  /** Candidates that were put in place since the start: a verdict during a change may be about either file. */
  #candidates = 0
  /** The script's last problem: logged once, not at every query. */
  #told = ''

  constructor(needs: LicenseNeeds) {
    this.#needs = needs
  }

  /**
   * The installed license as JSON text; undefined if there is none. Throws a 404 with the reason if it cannot be judged
   * or has expired.
   */
  async read(): Promise<string | undefined> {
    const { folders } = this.#needs
    if (vendorJudges(folders)) {
      // Concurrent callers share one run, because the script may be slow.
      this.#asking ??= this.#ask().finally(() => {
        this.#asking = undefined
      })
      const verdict = await this.#asking
      if (verdict.is === 'broken') throw notFound('', { words: `There is no valid license: ${verdict.why}` })
      return verdict.is === 'valid' ? verdict.text : undefined
    }
    try {
      const text = readOwn(folders, 'license.asc')
      const key = readOwn(folders, 'license.pub')
      if (text === undefined || key === undefined) return undefined
      return JSON.stringify(readLicense(text, key))
    } catch (cause) {
      if (!(cause instanceof ApiError)) throw cause
      throw notFound('', { cause, words: `There is no valid license: ${cause.message}` })
    }
  }

  async #ask(): Promise<Verdict> {
    const { folders, run, label, warn } = this.#needs
    for (;;) {
      await this.#settled()
      const candidates = this.#candidates
      const script = licenseScript(folders)
      const verdict = await askVendor({ run, script, environment: vendorEnvironment(folders, label) })
      if (candidates !== this.#candidates) continue
      const fault = verdict.is === 'broken' ? [verdict.why, verdict.complaint].filter(Boolean).join(': ') : ''
      if (fault && fault !== this.#told) warn(fault)
      this.#told = fault
      return verdict
    }
  }

  /** While a candidate is being judged, or after its task died, the file is not the license yet. */
  async #settled(): Promise<void> {
    const { tasks } = this.#needs
    const judged = tasks.latest('license')
    if (!judged || (isFinal(judged) && !tasks.isRunning('license'))) return
    const late = pause(PATIENCE, LATE, { ref: false })
    if ((await Promise.race([tasks.wait(judged.id), late])) === LATE) throw locked('A license is being installed')
  }

  /**
   * Installs a received file; returns the license as JSON text. If it is rejected, throws with the old license in
   * place.
   */
  async install(file: string, by: Asker): Promise<string> {
    const { folders, tasks, memory } = this.#needs
    if (!vendorJudges(folders)) {
      const text = installOwn(folders, file)
      await memory.save()
      return text
    }
    const task = await tasks.start('license', { inputs: { 'license.asc': { file } }, by })
    if (!task) throw locked('A license is being installed already')
    this.#candidates++
    const ended = await tasks.wait(task.id)
    const output = readText(scriptFile(folders, task.id, 'output.json'))
    if (ended?.status === 'completed' && output !== undefined) return output
    if (ended?.error?.code === 'BUSY') throw locked('A license is being installed already')
    const refused = existsSync(scriptFile(folders, task.id, 'refused'))
    const reason = ended?.error?.message
    throw invalid(refused ? 'The license was rejected' : 'The license was not installed', {
      ...(reason && reason !== NO && { details: { reason } }),
    })
  }
}

/** Milliseconds that a query waits for a candidate's verdict: the original's wrapper has no limit. */
const PATIENCE = 30_000
const LATE = 'late'
/** The script's text for a file that the vendor's script rejects. */
const NO = 'Invalid or missing license file'

const vendorEnvironment = ({ root, sysconf, data, state }: Folders, label: string) => ({
  EDGE_CONTRACT: String(CONTRACT),
  EDGE_ROOT: root,
  EDGE_SYSCONFDIR: sysconf,
  EDGE_DATADIR: data,
  EDGE_STATEDIR: state,
  EDGE_LABEL: label,
})

/** A file of the appliance that exists but cannot be read is named: the caller's file is not at fault. */
function readOwn(folders: Folders, name: 'license.asc' | 'license.pub'): string | undefined {
  try {
    return readEdited(etc(folders, name))
  } catch (cause) {
    throw invalid(`${name} on this system is not text in UTF-8`, { cause })
  }
}

/** The signature covers the content, not the formatting of an editor. */
function uploadedText(file: string): string {
  try {
    return decodeText(readFileSync(file))
  } catch (cause) {
    throw invalid(`The license file cannot be read. Found: ${cause instanceof Error ? cause.message : 'no text'}`, {
      cause,
    })
  }
}

/** Judged by its signature, without a vendor's script. */
function installOwn(folders: Folders, file: string): string {
  const key = readOwn(folders, 'license.pub')
  if (key === undefined) throw invalid('This system has no license key to check a license with')
  const text = uploadedText(file)
  const license = readLicense(text, key)
  replaceAtomic(etc(folders, 'license.asc'), text)
  return JSON.stringify(license)
}
