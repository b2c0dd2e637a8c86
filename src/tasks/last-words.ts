// Why a script never began, for the person who asked for its work: the last line of the task's log, which is what the system, sudo, the shell or
// the script itself had to say. The trap: it goes to clients and into logs, so it is one short line without control characters.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { readFrom } from '../store/append-log.ts'

const LONGEST = 300
/** Bytes at the end of a log that are looked at. */
const NEAR = 16_384

/** How a program ended: it could not be started, or it left a status, or a signal ended it. */
export interface End {
  error?: NodeJS.ErrnoException
  code?: number | null
}

const logFile = (folder: string) => join(folder, 'log')

/** How long a task's log is: what a program adds comes behind. */
export const logSize = (folder: string): number => statSync(logFile(folder), { throwIfNoEntry: false })?.size ?? 0

/** The last line of a task's log that says something, of those behind byte `from`; undefined when none does. */
function lastLine(folder: string, from: number): string | undefined {
  const begin = Math.max(from, logSize(folder) - NEAR)
  const lines = (readFrom(logFile(folder), begin, NEAR)?.bytes.toString() ?? '').split('\n')
  // Half a line could be half a secret, and nothing would mask it.
  if (begin > from) lines[0] = 'what it said last is too long to be shown'
  return lines.map(plain).findLast((line) => line !== '')
}

/** One line, as people read it: without the colors and the control characters of a terminal. */
const plain = (text: string): string =>
  text
    .replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, '')
    .replace(/[\s\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]+/g, ' ')
    .trim()

/** What is shown of a line. To be called once it is masked, or it would cut a secret in two. */
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

/** What sudo said, with what is behind it where the fragment of an installation is. */
export const withSudoHint = (said: string): string =>
  /^sudo: .*(password is required|not allowed|not in the sudoers)/i.test(said)
    ? `${said}. The sudoers fragment of edge-admin is missing, or names another user`
    : said
