// `edge-admin judge SCRIPT FILE [UID GID]`: has the vendor's license.sh decide about the license in place, exactly as
// the server has it decide for GET. For scripts, not for people: no --help. Under sudo this is root. FILE is opened
// first; the rest is done with the caller's rights.
import { closeSync, fsyncSync, openSync, writeFileSync } from 'node:fs'
import { askVendor, VENDOR_VARIABLES } from '../features/license/verdict.ts'
import type { Io } from './command.ts'

/**
 * Exit status: 0 yes, and FILE holds its output; 3 no; 2 no credible decision; 64 wrong use. The last line on standard
 * error says why.
 */
export async function judge(args: string[], { stderr, env }: Io, limit?: number): Promise<number> {
  const [script, file, ...caller] = args
  const [uid, gid] = caller.map(Number)
  const isCaller = caller.length === 2 && caller.every((text) => /^\d{1,10}$/.test(text))
  if (!script?.startsWith('/') || !file || (caller.length > 0 && !isCaller)) {
    stderr.write('usage: edge-admin judge SCRIPT FILE [UID GID]\n')
    return 64
  }
  const fd = openSync(file, 'wx', 0o640)
  try {
    if (uid !== undefined && gid !== undefined) stepDown(uid, gid)
    const environment = Object.fromEntries(VENDOR_VARIABLES.map((name) => [name, env[name] ?? '']))
    const verdict = await askVendor({ script, environment, inSession: true, ...(limit && { limit }) })
    if (verdict.complaint) stderr.write(`${verdict.complaint.trimEnd()}\n`)
    if (verdict.is === 'valid') {
      writeFileSync(fd, verdict.text)
      fsyncSync(fd)
      return 0
    }
    stderr.write(`${verdict.why}\n`)
    return verdict.is === 'none' ? 3 : 2
  } finally {
    closeSync(fd)
  }
}

/** Permanently, with the groups of the user. */
function stepDown(uid: number, gid: number): void {
  try {
    // Node has it; its type declarations do not.
    ;(process as { initgroups?: (user: number, group: number) => void }).initgroups?.(uid, gid)
  } catch {
    // This number has no user name on this machine.
    process.setgroups?.([gid])
  }
  process.setgid?.(gid)
  process.setuid?.(uid)
}
