// What every command of `edge-admin` shares: its streams, its options, and its usage errors. A message ends up on one
// line of a terminal, so nothing here may print a secret, and `run` strips control characters.
import { readFileSync } from 'node:fs'
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { didYouMean } from '../nearest.ts'
import { decodeText, TextError } from '../store/text.ts'

export type Output = NodeJS.WritableStream & { isTTY?: boolean }

export interface Io {
  stdout: Output
  stderr: Output
  env: Record<string, string | undefined>
  /** For input that must not be an argument: a token, a password. */
  stdin?: AsyncIterable<Uint8Array | string> & { isTTY?: boolean }
}

/** A command: takes the arguments after its name, returns its exit status. */
export type Main = (args: string[], io: Io) => Promise<number>

/** The exit status of a usage error (sysexits.h: EX_USAGE). */
export const USAGE = 64
/** The command was called with wrong arguments. */
export class UsageError extends Error {}

/** The command failed: exit 1. The message is for the person at the terminal and may name a file. */
export class Failure extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>

/** Strict options, and positional arguments: those in `words` are required, and up to `max` are allowed. */
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
    // Node's message is long; its first sentence names the option.
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

/** The text of a file edited by people, in whichever encoding it has. */
export function edited(file: string): string {
  try {
    return decodeText(readFileSync(file))
  } catch (error) {
    throw error instanceof TextError ? new Failure(`${file}: ${error.message}; expected UTF-8`) : error
  }
}

export const say = (stream: Output, line: string) => void stream.write(`${line}\n`)

/** The actor of a command's audit entry: the command, and the user who ran it through sudo. */
export function onBehalf(command: string, { env }: Io): string {
  const caller = env['SUDO_USER']?.replace(/[^A-Za-z0-9._@-]/g, '?').slice(0, 64)
  return caller ? `${command}, for ${caller}` : command
}
