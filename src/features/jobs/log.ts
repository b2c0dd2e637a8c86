// The log of a job without its secrets, page by page, by byte offset. The trap: a page begins and ends at a line end, since half a secret
// would not be recognized; so callers take `next` from the page and never compute it.
import { join } from 'node:path'
import type { Folders } from '../../folders.ts'
import { readFrom } from '../../store/append-log.ts'
import { isFinal, type Task, taskFolder } from '../../tasks/task.ts'
import { literals, redact } from './redact.ts'
import { secretsOf } from './secrets.ts'

export const LONGEST_PAGE = 65_536
/** Bytes looked at around a page: a private key is masked whole, wherever the page begins and ends. */
const CONTEXT = 32_768
const TOO_LONG = '[a line too long to be shown]\n'

export interface Page {
  /** UTF-8. */
  bytes: Buffer
  /** The offset to go on with. */
  next: number
}

interface Line {
  text: string
  at: number
  end: number
  /** Whether its line end is there. */
  whole: boolean
}

/** From the line on that holds `offset`: lines that begin within `limit` bytes. While the task runs, its last line waits until it is whole. */
export function readLog(folders: Folders, task: Task, offset: number, limit: number): Page {
  const begin = Math.max(0, offset - CONTEXT)
  const part = readFrom(join(taskFolder(folders, task.id), 'log'), begin, offset - begin + limit + CONTEXT)
  if (!part || offset >= part.size) return { bytes: Buffer.alloc(0), next: part?.size ?? 0 }
  const lines = split(part.bytes.toString('latin1'), begin)
  // Where the first began is not known, so nothing of it could be masked.
  const first = begin > 0 ? lines.shift() : undefined
  if (first && offset < first.end) return { bytes: Buffer.from(TOO_LONG), next: first.end }
  const secrets = literals(secretsOf(folders))
  const { shown, open } = redact(
    lines.map(({ text }) => text),
    secrets,
  )
  const rest = begin + part.bytes.length < part.size
  const known = rest || isFinal(task) ? lines.length : lines.length - open
  // A line that is cut where its reader chose may end within a secret, and nothing has masked the half.
  if (rest && !lines.at(-1)?.whole) shown.push(shown.pop()?.slice(0, -(secrets[0]?.length ?? 0) || undefined))
  let [out, next] = ['', offset]
  for (const [i, { at, end, whole }] of lines.entries()) {
    if (end <= offset) continue
    if (next === offset) next = at
    const alone = out === '' && rest
    if (i >= known || at >= offset + limit || !(whole || alone || (isFinal(task) && !rest))) break
    if (shown[i] !== undefined) out += `${shown[i]}\n`
    next = end
  }
  return { bytes: Buffer.from(out, 'latin1'), next }
}

function split(text: string, begin: number): Line[] {
  const lines: Line[] = []
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at)
    const end = newline < 0 ? text.length : newline + 1
    const whole = newline >= 0
    lines.push({ text: text.slice(at, whole ? newline : end), at: begin + at, end: begin + end, whole })
    at = end
  }
  return lines
}
