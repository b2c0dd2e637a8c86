// What every command of `edge-admin` shares: its streams, its options, and how it says that it was called wrongly. A
// message ends up on one line of a terminal, so nothing here may print a secret, and `run` strips control characters.
import { readFileSync } from 'node:fs'
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { didYouMean } from '../nearest.ts'
import { decodeText, TextError } from '../store/text.ts'

export type Output = NodeJS.WritableStream & { isTTY?: boolean }

export interface Io {
  stdout: Output
  stderr: Output
  env: Record<string, string | undefined>
  /** For what must not be an argument: a token, a password. */
  stdin?: AsyncIterable<Uint8Array | string> & { isTTY?: boolean }
}

/** One command: gets what follows its name, answers its exit status. */
export type Main = (args: string[], io: Io) => Promise<number>

/** The exit status of a wrong call (sysexits.h: EX_USAGE). */
export const USAGE = 64
/** Called wrongly. */
export class UsageError extends Error {}

/** Could not do it: exit 1. The message is for the person at the terminal and may name a file. */
export class Failure extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>

/** Strict options, and other words: those of `words` have to be there, and up to `max` may. */
export function parse<const O extends Options>(args: string[], options: O, words: string[] = [], max = words.length) {
  const parsed = parseStrictly(args, options)
  if (parsed.positionals.length > max) throw new UsageError(`one word too many: ${parsed.positionals[max]}`)
  const missing = words[parsed.positionals.length]
  if (missing !== undefined) throw new UsageError(`a word is missing: ${missing} (see --help)`)
  return parsed
}

function parseStrictly<const O extends Options>(args: string[], options: O) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true })
  } catch (error) {
    // Node explains at length; its first sentence names the option.
    const text = (error as Error).message.split(/[.]?\n|[.] /, 1)[0] as string
    const unknown = /^Unknown option '(.*)'$/.exec(text)?.[1]
    const near =
      unknown &&
      didYouMean(
        unknown.split('=', 1)[0] ?? '',
        Object.keys(options).map((name) => `--${name}`),
      )
    throw new UsageError(text.charAt(0).toLowerCase() + text.slice(1) + (near ?? ''))
  }
}

export function required(value: string | undefined, option: string): string {
  if (!value) throw new UsageError(`${option} is missing`)
  return value
}

/** The text of a file that people wrote, by the encoding that it has. */
export function edited(file: string): string {
  try {
    return decodeText(readFileSync(file))
  } catch (error) {
    throw error instanceof TextError ? new Failure(`${file}: ${error.message}; expected UTF-8`) : error
  }
}

export const say = (stream: Output, line: string) => void stream.write(`${line}\n`)

/** How the audit log names a command that changed something, and who called it by sudo. */
export function onBehalf(command: string, { env }: Io): string {
  const caller = env['SUDO_USER']?.replace(/[^A-Za-z0-9._@-]/g, '?').slice(0, 64)
  return caller ? `${command}, for ${caller}` : command
}
