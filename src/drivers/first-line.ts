// What the beginning of a script tells about whether it can be started: what an editor on Windows makes of it, and its interpreter. By the rules of
// `script_fault` in scripts/hook.sh: one table of cases tests both.
import { closeSync, existsSync, openSync, readSync } from 'node:fs'

/** Bytes: more of a program the kernel does not look at, either. */
export const START = 256

export type FirstLine =
  | { is: 'empty' | 'byte-order-mark' | 'utf-16' | 'line-ends' | 'no-interpreter' }
  /** A program, which may hold any bytes: what mends a text would destroy it. */
  | { is: 'binary' }
  | { is: 'script'; program: string; argument: string }

export function firstLine(bytes: Buffer): FirstLine {
  if (bytes.length === 0) return { is: 'empty' }
  const begin = bytes.subarray(0, 4).toString('hex')
  if (begin === '7f454c46') return { is: 'binary' }
  if (begin.startsWith('efbbbf')) return { is: 'byte-order-mark' }
  if (begin.startsWith('fffe') || begin.startsWith('feff')) return { is: 'utf-16' }
  const first = bytes.toString('latin1').split('\n', 1)[0] ?? ''
  const line = first.replaceAll('\0', '').slice(0, 255)
  if (line.endsWith('\r')) return { is: 'line-ends' }
  if (!line.startsWith('#!')) return { is: 'no-interpreter' }
  const [program = '', argument = ''] = line.slice(2).trim().split(/\s+/)
  return { is: 'script', program, argument }
}

/** What keeps a script from being started, in the words of scripts/hook.sh; undefined when it is nothing of this. */
export function scriptFault(file: string, name: string): string | undefined {
  const first = readStart(file)
  if (first === undefined) return undefined
  const found = firstLine(first)
  switch (found.is) {
    case 'byte-order-mark':
      return `${name} begins with a byte order mark`
    case 'utf-16':
      return `${name} is UTF-16`
    case 'line-ends':
      return `the lines of ${name} end in CR LF`
    case 'script': {
      const program = found.program.replace(/[^ -~]/g, '')
      return existsSync(program) ? undefined : `the interpreter of ${name} is not here: ${program}`
    }
    default:
      return undefined
  }
}

function readStart(file: string): Buffer | undefined {
  try {
    const fd = openSync(file, 'r')
    try {
      const bytes = Buffer.alloc(START)
      return bytes.subarray(0, readSync(fd, bytes))
    } finally {
      closeSync(fd)
    }
  } catch {
    return undefined
  }
}
