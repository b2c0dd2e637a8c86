// The environment variables of the original (facts: jidoteki.md 1.1): which still have an effect, and a sentence for
// each that has none. The original had two ports open to everybody. JIDO_WITH_SSL=true asked for HTTPS on all
// addresses, and is honored; nothing here ever opens plain HTTP, or an appliance that the first caller could take over.
import { isAbsolute, resolve } from 'node:path'

export type Environment = Record<string, string | undefined>

/** All of them, in the order in which a start logs them. */
export const VARIABLES = [
  'JIDO_WITH_SSL',
  'JIDO_API_PORT',
  'JIDO_ADMIN_PATH',
  'JIDO_STUNNEL_BIN',
  'JIDO_API_CUSTOM',
  'JIDO_API_VERSION',
] as const
export type Variable = (typeof VARIABLES)[number]

/** Why the others have no effect: for the log of a start, and for `edge-admin check`. */
export const NO_MORE: Readonly<Record<Exclude<Variable, 'JIDO_WITH_SSL' | 'JIDO_ADMIN_PATH'>, string>> = {
  JIDO_API_PORT: 'it was the port of plain HTTP, which is not opened',
  JIDO_STUNNEL_BIN: 'no stunnel is started or ended, since TLS is this server’s own',
  JIDO_API_CUSTOM: 'the vendor’s own endpoints and pages are not loaded, and nothing replaces them',
  JIDO_API_VERSION: 'the API has one version, 1',
}

/** The address of the original's TLS: port 8443 of every IPv4 address. */
export const EVERY_ADDRESS = '0.0.0.0'

/**
 * The root folder from JIDO_ADMIN_PATH; undefined if it is not set. Throws a sentence if it is not an absolute path.
 */
export function rootOf(environment: Environment): string | undefined {
  const path = environment['JIDO_ADMIN_PATH']
  if (!path) return undefined
  if (!isAbsolute(path)) throw new Error(`JIDO_ADMIN_PATH: expected an absolute path, and it is ${shown(path)}`)
  return resolve(path)
}

export interface Asked {
  environment: Environment
  /** The root folder in use, and what set it, if not the environment. */
  root: string
  rootSaidBy: string | undefined
  /** What takes precedence: the command line or the configuration; undefined if neither. */
  host: string | undefined
  /** The configuration file, and whether it is the original's; undefined without one. */
  file: string | undefined
  isOriginal: boolean
  tls: boolean
  /** Whether the system is safe from the first caller: it has a token, or set-up needs a phrase. */
  isClaimed: boolean
}

export interface Answer {
  /** The address from the environment, if nothing else sets one. */
  host: string | undefined
  /** For the log, once the port's address (`url`) is known. */
  sentences: (url: string) => string[]
}

/** The effect of the environment on the address, and the messages about it. */
export function readEnvironment(asked: Asked): Answer {
  const { environment, tls, isClaimed, isOriginal, file } = asked
  const free = asked.host === undefined && (isOriginal || file === undefined)
  const host = isWithSsl(environment) && free && tls && isClaimed ? EVERY_ADDRESS : undefined
  return { host, sentences: (url) => VARIABLES.flatMap((name) => SENTENCES[name](asked, host, url)) }
}

const isWithSsl = (environment: Environment) => environment['JIDO_WITH_SSL'] === 'true'

/** `host` is what the environment opens, `url` the address of the port. */
const SENTENCES: Record<Variable, (asked: Asked, host: string | undefined, url: string) => string[]> = {
  JIDO_WITH_SSL: withSslSentence,
  JIDO_API_PORT: portSentence,
  JIDO_ADMIN_PATH: ({ environment, root, rootSaidBy }) =>
    rootSaidBy === undefined ? [] : unfollowedRoot(environment, root, rootSaidBy),
  JIDO_STUNNEL_BIN: ({ environment }) => without(environment, 'JIDO_STUNNEL_BIN', NO_MORE.JIDO_STUNNEL_BIN),
  JIDO_API_CUSTOM: ({ environment }) => without(environment, 'JIDO_API_CUSTOM', NO_MORE.JIDO_API_CUSTOM),
  JIDO_API_VERSION: ({ environment }) =>
    environment['JIDO_API_VERSION'] === '1' ? [] : without(environment, 'JIDO_API_VERSION', NO_MORE.JIDO_API_VERSION),
}

function withSslSentence({ environment, ...asked }: Asked, host: string | undefined, url: string): string[] {
  const value = environment['JIDO_WITH_SSL']
  if (!value) return []
  if (host !== undefined)
    return [
      `JIDO_WITH_SSL=true: listening for HTTPS at every address, as the original did (${url}). "listen.host" of the configuration decides otherwise`,
    ]
  if (value !== 'true') return without(environment, 'JIDO_WITH_SSL', `${asked.tls ? 'HTTPS' : 'plain HTTP'} at ${url}`)
  if (!asked.tls) return without(environment, 'JIDO_WITH_SSL', `TLS is switched off, so this listens at ${url} only`)
  if (asked.host !== undefined)
    return without(environment, 'JIDO_WITH_SSL', `where to listen is said elsewhere, and that is ${url}`)
  if (!asked.isClaimed)
    return [
      `JIDO_WITH_SSL=true is not followed yet: there is no API token and no first-run phrase, so whoever came first would own this system. This listens at ${url} only. Set a token (edge-admin token set) and start again`,
    ]
  return without(environment, 'JIDO_WITH_SSL', `${asked.file} decides where to listen, and that is ${url}`)
}

/** The original always had plain HTTP open at every address. Users who relied on it are told the new address. */
function portSentence(
  { environment, host: said, isOriginal, file }: Asked,
  host: string | undefined,
  url: string,
): string[] {
  const sentences = without(environment, 'JIDO_API_PORT', `${NO_MORE.JIDO_API_PORT}; this listens at ${url}`)
  if (!isOriginal || said !== undefined || host !== undefined || isWithSsl(environment)) return sentences
  return [
    ...sentences,
    `${file} says nothing of where to listen. The original answered plain HTTP at every address; this listens at ${url} only. "listen": {"host": "${EVERY_ADDRESS}"} in that file lets others in, by HTTPS`,
  ]
}

/** `saidBy`: the option or the file that takes precedence. */
export function unfollowedRoot(environment: Environment, root: string, saidBy: string): string[] {
  const path = environment['JIDO_ADMIN_PATH']
  if (!path || resolve(path) === root) return []
  return [`JIDO_ADMIN_PATH=${shown(path)} is not followed: ${saidBy} says ${root}`]
}

const without = (environment: Environment, name: Variable, why: string): string[] =>
  environment[name] ? [`${name}=${shown(environment[name])} does nothing any more: ${why}`] : []

/** A foreign text, for one line of a log. */
export const shown = (text: string) => text.replace(/[\x00-\x1f\x7f-\x9f]/g, '?').slice(0, 200)
