// Whether the appliance could run what a package contains: its `update.sh`, and the small texts beside it. Damage by
// Windows editors is found here, at the vendor's, and not on the appliance, where it would only be "Error running
// update".
import { closeSync, openSync, readSync, realpathSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import { PackageError } from './failure.ts'
import type { PayloadEntry } from './payload.ts'

const SCRIPT = 'update.sh'
/** Found only by these exact names. */
const KNOWN = [SCRIPT, 'version.txt', 'product.txt']
/** The kernel reads no further for the end of a script's first line. */
const FIRST_LINE = 255
/** Runs a script that is not executable, whatever its first line. */
const SHELL = /^(?:\S*\/)?(?:sh|dash|ash|busybox)$/

/** Throws a PackageError that says what is wrong. Returns doubts, one sentence each. */
export function checkScript(folder: string, entries: PayloadEntry[]): string[] {
  checkNames(folder, entries)
  const entry = entries.find(({ name }) => name === SCRIPT)
  if (!entry) return []
  const path = join(folder, SCRIPT)
  const wrong = (what: string): never => {
    throw new PackageError(`${path}: ${what}`)
  }
  // A link that stays in the folder leads to the file that is run.
  const info = statSync(path, { throwIfNoEntry: false })
  if (!info?.isFile() || !realpathSync(path).startsWith(realpathSync(folder) + sep)) return wrong('not a plain file')
  if (info.size === 0) return wrong('it is empty')
  const start = startOf(path, 64 * 1024)
  const encoding = encodingOf(start)
  if (encoding) return wrong(`${encoding}. Save it as UTF-8 without one`)
  if (start.startsWith('\x7fELF') || start.startsWith('MZ'))
    return wrong('a program. It has to be a script, which may start that program')
  const lines = start.split('\n')
  const first = lines[0] as string
  if (/\r$/.test(first) || (lines.length === 1 && first.includes('\r')))
    return wrong('its lines end in CR LF, as Windows writes them. No shell runs that: save it with LF')
  if (first.includes('\0')) return wrong('NUL bytes in its first line. Save it as UTF-8')
  if (/^\s+#!/.test(start)) return wrong('"#!" has to be the first two bytes')
  if (first.startsWith('#!')) checkInterpreter(first, (info.mode & 0o110) !== 0, wrong)
  const line = lines.findIndex((text) => text.endsWith('\r'))
  return line < 0 ? [] : [`${SCRIPT}: line ${line + 1} ends in CR LF, which a shell takes for a part of its last word`]
}

/** The encoding of a text that the appliance reads by its first line, if it is not UTF-8. */
export function checkText(path: string): void {
  const encoding = encodingOf(startOf(path, 4096))
  if (encoding && !encoding.startsWith('a byte')) throw new PackageError(`${path}: ${encoding}. Save it as UTF-8`)
}

function checkInterpreter(first: string, executable: boolean, wrong: (what: string) => never): void {
  const [interpreter = '', argument] = first
    .slice(2)
    .trim()
    .split(/[ \t]+/)
  if (first.length > FIRST_LINE) wrong(`its first line is longer than ${FIRST_LINE} bytes`)
  if (!/^\/[^/]/.test(interpreter) || interpreter.endsWith('/') || interpreter.includes('\\'))
    wrong(`its first line names no program by its absolute path: ${JSON.stringify(first)}`)
  const isEnv = /\/env$/.test(interpreter)
  if (isEnv && argument === undefined) wrong('its first line names no program after env')
  const program = isEnv ? (argument as string) : interpreter
  if (!executable && !SHELL.test(program))
    wrong(`it is not executable, so the appliance gives it to sh, and its first line names ${program}: chmod +x`)
}

function checkNames(folder: string, entries: PayloadEntry[]): void {
  const top = entries.map(({ name }) => name).filter((name) => !name.includes('/'))
  for (const known of KNOWN) {
    if (top.includes(known)) continue
    const alike = top.find((name) => looksLike(name, known))
    if (alike !== undefined)
      throw new PackageError(`${join(folder, alike)}: the appliance looks for ${known}, in these letters`)
  }
}

/** The name in other letter case, with spaces, or with a further extension, which Windows hides. */
const looksLike = (name: string, known: string) =>
  [known, `${known}.txt`, `${known}.sh`].includes(name.trim().toLowerCase())

/** Undefined for UTF-8, and for any other bytes that a shell can run. */
function encodingOf(start: string): string | undefined {
  if (start.startsWith('\xef\xbb\xbf')) return 'a byte order mark stands before its first line'
  if (start.startsWith('\xff\xfe') || start.startsWith('\xfe\xff')) return 'UTF-16 with a byte order mark'
  if (/^(?:[\x01-\x7f]\0){2}/.test(start) || /^(?:\0[\x01-\x7f]){2}/.test(start))
    return 'UTF-16 without a byte order mark'
  return undefined
}

/** Bytes as latin1. */
function startOf(path: string, most: number): string {
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(most)
    return bytes.toString('latin1', 0, readSync(fd, bytes, 0, most, 0))
  } finally {
    closeSync(fd)
  }
}
