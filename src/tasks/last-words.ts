// Why a script never began, for the person who started the task: the last line of the task's log, written by the
// system, sudo, the shell or the script itself. It goes to clients and into logs, so it is one short line without
// control characters.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { readFrom } from '../store/append-log.ts'

const LONGEST = 300
/** Bytes at the end of a log that are read. */
const NEAR = 16_384

/** How a program ended: it could not be started, exited with a status, or was ended by a signal. */
export interface End {
  error?: NodeJS.ErrnoException
  code?: number | null
}

const logFile = (folder: string) => join(folder, 'log')

/** The length of a task's log; the output of a program is appended after it. */
export const logSize = (folder: string): number => statSync(logFile(folder), { throwIfNoEntry: false })?.size ?? 0

/** The last line with text in a task's log after byte `from`; undefined if there is none. */
function lastLine(folder: string, from: number): string | undefined {
  const begin = Math.max(from, logSize(folder) - NEAR)
  const lines = (readFrom(logFile(folder), begin, NEAR)?.bytes.toString() ?? '').split('\n')
  // Half a line could be half a secret, which redaction would not recognize.
  if (begin > from) lines[0] = 'what it said last is too long to be shown'
  return lines.map(plain).findLast((line) => line !== '')
}

/** One readable line, without the colors and control characters of a terminal. */
const plain = (text: string): string =>
  text
    .replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, '')
    .replace(/[\s\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]+/g, ' ')
    .trim()

/** Shortens a line for display. Call it after redaction, or it might cut a secret in two. */
export function shortened(line: string): string {
  const letters = [...line]
  return letters.length > LONGEST ? `${letters.slice(0, LONGEST - 1).join('')}…` : line
}

const SYSTEM: Record<string, string> = {
  ENOENT: 'it is not there, or the program that its first line names is not',
  EACCES: 'permission denied: it has to be executable',
  ENOEXEC: 'it is no program for this system',
  EAGAIN: 'there are too many processes',
  ENOMEM: 'there is not enough memory',
}

/** `program` is what was started: the script, or sudo for it; `from` is where its part of the log begins. */
export function whyItEnded(folder: string, program: string, { error, code }: End, from = 0): string {
  if (error) return `${program} cannot be run: ${SYSTEM[error.code ?? ''] ?? error.message}`
  const said = lastLine(folder, from)
  if (said === undefined) return `${program} ended with exit status ${code} and said nothing`
  return withSudoHint(said)
}

/** The message of sudo, with a hint if the sudoers fragment is the likely cause. */
export const withSudoHint = (said: string): string =>
  /^sudo: .*(password is required|not allowed|not in the sudoers)/i.test(said)
    ? `${said}. The sudoers fragment of edge-admin is missing, or names another user`
    : said
