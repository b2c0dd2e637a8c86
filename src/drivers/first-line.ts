// Whether a script can be started, judged by its first bytes: its interpreter, and what Windows editors leave there.
// The rules are those of `script_fault` in scripts/hook.sh; one table of cases tests both.
import { closeSync, existsSync, openSync, readSync } from 'node:fs'

/** Bytes; the kernel looks at no more, either. */
export const START = 256

export type FirstLine =
  | { is: 'empty' | 'byte-order-mark' | 'utf-16' | 'line-ends' | 'no-interpreter' }
  /** Read as bytes: decoding a binary as text would change it. */
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

/** Why a script cannot be started, in the wording of scripts/hook.sh; undefined if this file finds no reason. */
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
