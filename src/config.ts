// The configuration: `edge-admin.json`, or the original's `jidoteki-admin-api.json` unchanged. Read once and frozen. An
// invalid file stops the start (exit 78); only a missing one means defaults. The original ignored unknown keys, so a
// file of its own that worked there has to work here.
import { readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import * as z from 'zod'
import { check } from './field-errors.ts'
import type { Folders } from './folders.ts'
import { type MovedKey, movedSentence, moveKeys, writtenName } from './moved-keys.ts'
import { quoted } from './nearest.ts'
import { FORWARDED_HEADERS, objectionToHost, objectionToNetwork } from './networks.ts'
import { readEdited } from './store/atomic.ts'
import { doubtIn } from './store/json-names.ts'
import { parseWritten } from './store/json-text.ts'
import { TextError } from './store/text.ts'

/** A number of bytes, or `512K`, `64M`, `4G` (powers of 1024). */
const Bytes = z
  .union([
    z.int().min(1),
    z.string().regex(/^[1-9][0-9]{0,9}[KMGT]?$/, 'expected a number of bytes such as 512K, 64M or 4G'),
  ])
  .transform((value) => (typeof value === 'number' ? value : parseBytes(value)))

const LEAST_AUDIT = 16 << 20
const LEAST_LOG = 64 << 10

const parseBytes = (text: string) => {
  const power = ' KMGT'.indexOf(text.at(-1) ?? '')
  return power > 0 ? Number(text.slice(0, -1)) * 1024 ** power : Number(text)
}

/** Address and port, as LIO names a portal's folder. */
const Portal = z
  .string()
  .regex(
    /^(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[[0-9a-f:]{2,39}\]):[1-9][0-9]{0,4}$/,
    'expected a portal such as 0.0.0.0:3260 or [::]:3260',
  )

const said = (objectionTo: (text: string) => string | undefined) =>
  z.string().superRefine((text, context) => {
    const message = objectionTo(text)
    if (message) context.addIssue({ code: 'custom', message })
  })

export const Configuration = z.strictObject({
  endpoints: z
    .array(z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected the name of an endpoint, such as backup'))
    .default([]),
  parameters: z
    .array(z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,31}$/, 'expected a name of letters, digits, _ and -'))
    .default([]),
  'first-run': z.strictObject({ 'word-length': z.int().min(0).max(64).default(4), enabled: z.boolean() }).optional(),
  listen: z
    .strictObject({
      host: said(objectionToHost).default('127.0.0.1'),
      port: z.int().min(0).max(65535).default(8443),
      /**
       * Further ports on the same server. By default on the host of the first; without `surfaces`, a port serves all of
       * them.
       */
      ports: z
        .array(
          z.strictObject({
            host: said(objectionToHost).optional(),
            port: z.int().min(0).max(65535),
            surfaces: z.array(said(objectionToSurface)).min(1).optional(),
          }),
        )
        .max(16)
        .default([]),
      /** Plain HTTP beyond loopback must be requested explicitly. */
      'insecure-http-beyond-loopback': z.boolean().default(false),
      /** Reverse proxies that are trusted to name the client's address. */
      'trusted-proxies': z.array(said(objectionToNetwork)).max(256).default([]),
      /** The one header that those proxies write; clients can set the other. */
      'forwarded-header': z.enum(FORWARDED_HEADERS).optional(),
      /** Between two heartbeats to readers of events, which are also checks of their permission. */
      'heartbeat-seconds': z.int().min(1).max(300).default(15),
    })
    .prefault({}),
  tls: z
    .strictObject({
      enabled: z.boolean().default(true),
      /**
       * Sends HSTS, so that browsers use only HTTPS for this host; switch it off if the name also serves plain HTTP.
       */
      hsts: z.boolean().default(true),
    })
    .prefault({}),
  limits: z
    .strictObject({
      update: Bytes.prefault('4G'),
      archive: Bytes.prefault('4G'),
      certs: Bytes.prefault('256K'),
      settings: Bytes.prefault('256K'),
      license: Bytes.prefault('64K'),
      /** The most that an archive may unpack to. */
      unpacked: Bytes.prefault('16G'),
      entries: z.int().min(1).default(200_000),
      /** Seconds without a byte after which an upload is aborted. */
      'idle-seconds': z.int().min(1).max(3600).default(30),
      connections: z.int().min(1).default(1024),
      /** From one address, or one /64 of IPv6. */
      'connections-per-address': z.int().min(1).default(256),
      /** Seconds after which a task is stopped. */
      'task-seconds': z.int().min(60).default(21_600),
      /** Seconds after which a vendor's hook is stopped. */
      'hook-seconds': z.int().min(10).max(86_400).default(600),
    })
    .prefault({}),
  label: z
    .string()
    .regex(/^[A-Z0-9][A-Z0-9 _.-]{0,31}$/, 'expected capital letters, digits and blanks')
    .default('SYSTEM'),
  'service-manager': z.enum(['auto', 'systemd', 'openrc', 'init']).default('auto'),
  privilege: z.enum(['sudo', 'none']).default('none'),
  wrapper: z.string().startsWith('/').optional(),
  'legacy-md5': z.boolean().default(false),
  reboot: z.strictObject({ get: z.boolean().default(true) }).prefault({}),
  /** Besides the admin surface. A surface that is off answers 404. */
  surfaces: z
    .strictObject({
      console: z
        .strictObject({
          enabled: z.boolean().default(true),
          /** A session ends after this time without a request. */
          'idle-minutes': z.int().min(1).max(1440).default(30),
        })
        .prefault({}),
      controller: z
        .strictObject({
          enabled: z.boolean().default(false),
          /** The readers of /metrics: every account, or anyone. */
          metrics: z.enum(['viewer', 'public']).default('viewer'),
          /** For each account, or else address; 0 means no limit. */
          'requests-per-minute': z.int().min(0).max(1_000_000).default(100),
          /** Seconds that a request waits for its job before it is answered with 202. */
          'apply-seconds': z.int().min(0).max(300).default(30),
        })
        .prefault({}),
      /** For clients of Oracle's ZFS Storage Appliance, which expect it on port 215 (`listen.ports`). */
      zfssa: z.strictObject({ enabled: z.boolean().default(false) }).prefault({}),
    })
    .prefault({}),
  /** Pools, shares and iSCSI of this machine, whichever surface changes them. */
  storage: z
    .strictObject({
      /** Destroying storage needs the token of its plan. */
      'confirm-destroy': z.boolean().default(false),
      /** A folder whose files may be vdevs: for trying things out. */
      'file-vdevs': z.string().startsWith('/').optional(),
      /** Where the NFS server's tools look for files of exports: ours is written there. */
      'exports-folder': z.string().startsWith('/').default('/etc/exports.d'),
      /** The numbers (uid and gid) of share users and groups. A number is never given to another one. */
      'share-ids': z
        .strictObject({
          first: z.int().min(1000).max(2_000_000_000).default(20_000),
          last: z.int().min(1000).max(2_000_000_000).default(29_999),
        })
        .refine(({ first, last }) => first < last, 'expected a "last" above "first"')
        .prefault({}),
      iscsi: z
        .strictObject({
          /** Where new targets listen. Default: port 3260 of every address. */
          portals: z.array(Portal).min(1).max(16).optional(),
          /** What targetctl restores at boot. Default: where this system's rtslib has it. */
          saveconfig: z.string().startsWith('/').optional(),
        })
        .prefault({}),
    })
    .prefault({}),
  /** What the entries that can be searched and verified may take; then the oldest go. */
  audit: z
    .strictObject({ size: Bytes.prefault('1G').refine((bytes) => bytes >= LEAST_AUDIT, 'expected at least 16M') })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
      access: z.boolean().default(true),
      file: z.string().startsWith('/').optional(),
      /** The most that each line-based log may take before it is rotated; one previous file is kept. */
      size: Bytes.prefault('16M').refine((bytes) => bytes >= LEAST_LOG, 'expected at least 64K'),
    })
    .prefault({}),
})
export type Configuration = z.infer<typeof Configuration>

/** Lists the surfaces that can be switched, and the one that is always on. */
function objectionToSurface(name: string): string | undefined {
  const names = ['admin', ...Object.keys(Configuration.shape.surfaces.unwrap().shape)]
  return names.includes(name) ? undefined : `expected the name of a surface: ${names.join(', ')}`
}

const Host = z.looseObject({ listen: z.looseObject({ host: z.string() }) })

/** Number of words in the first-run phrase; 0 means that set-up is open. */
export const phraseWords = ({ 'first-run': firstRun }: Configuration): number =>
  firstRun?.enabled ? firstRun['word-length'] : 0

export const ORIGINAL_FILE = 'jidoteki-admin-api.json'

/** An invalid configuration: `message` is one line that names the file and the key. */
export class ConfigurationError extends Error {}

export interface Found {
  config: Configuration
  /** Undefined if there is no file, and all defaults apply. */
  file: string | undefined
  /** Whether the file itself sets the listen address. */
  saysHost: boolean
  /**
   * Messages about keys of the original's file that have no effect; empty for a file of ours, where these are errors.
   */
  ignored: string[]
  /** Messages about keys at their old place, which still take effect. */
  moved: string[]
}

/** Reads the configuration of `<sysconf>`, or `file` if given on the command line. */
export function readConfiguration(folders: Folders, file?: string): Found {
  const candidates = file ? [file] : ['edge-admin.json', ORIGINAL_FILE].map((name) => join(folders.sysconf, name))
  for (const candidate of candidates) {
    const text = readConfigurationText(candidate, file !== undefined)
    if (text === undefined) continue
    return { ...readText(text, candidate), file: candidate }
  }
  if (file) throw new ConfigurationError(`${file}: no such file`)
  return { config: Configuration.parse({}), file: undefined, saysHost: false, ignored: [], moved: [] }
}

/** A file given on the command line may be a pipe: `--config <(…)`. */
function readConfigurationText(file: string, named: boolean): string | undefined {
  try {
    return named && statSync(file, { throwIfNoEntry: false })?.isFIFO()
      ? readEdited(file, readFileSync(file))
      : readEdited(file)
  } catch (error) {
    throw error instanceof TextError ? new ConfigurationError(error.message) : error
  }
}

export const parseConfiguration = (text: string, file: string): Configuration => readText(text, file).config

function readText(text: string, file: string): Omit<Found, 'file'> {
  const isOriginal = basename(file) === ORIGINAL_FILE
  if (isOriginal && text.trim() === '')
    return {
      config: freeze(Configuration.parse({})),
      saysHost: false,
      ignored: ['it is empty, so every default holds'],
      moved: [],
    }
  let value: unknown
  try {
    value = parseWritten(text)
  } catch (error) {
    throw new ConfigurationError(`${file}: ${error instanceof Error ? error.message : 'not JSON'}`)
  }
  const doubt = doubtIn(text)
  if (doubt) throw new ConfigurationError(`${file}: ${doubt.path}: ${doubt.what}`)
  const moved = movedIn(value, file)
  const unknown = isOriginal ? withoutUnknown(value) : []
  const result = check(Configuration, value, { echo: true, noun: 'key', once: true })
  if (!result.errors)
    return {
      config: freeze(result.data),
      saysHost: Host.safeParse(value, { jitless: true }).success,
      ignored: unknown.length === 0 ? [] : [`no key that is known here, and ignored: ${unknown.join(', ')}`],
      moved: moved.map(movedSentence),
    }
  const all = result.errors.map(
    ({ field, message }) => `${writtenName(field, moved) || 'the whole file'}: ${lowered(message)}`,
  )
  throw new ConfigurationError(`${file}: ${all.join('; ')}`)
}

function movedIn(value: unknown, file: string): MovedKey[] {
  try {
    return moveKeys(value)
  } catch (error) {
    throw new ConfigurationError(`${file}: ${error instanceof Error ? error.message : error}`)
  }
}

/** Removes every unknown key from `value`, and returns their names. */
function withoutUnknown(value: unknown): string[] {
  const { error } = Configuration.safeParse(value)
  const names: string[] = []
  for (const issue of error?.issues ?? []) {
    if (issue.code !== 'unrecognized_keys') continue
    const holder = issue.path.reduce<unknown>((inner, name) => (inner as Record<PropertyKey, unknown>)[name], value)
    for (const key of issue.keys) {
      delete (holder as Record<string, unknown>)[key]
      names.push(quoted([...issue.path, key].map(String).join('.')))
    }
  }
  return names.length > MOST_NAMED ? [...names.slice(0, MOST_NAMED), `and ${names.length - MOST_NAMED} more`] : names
}

const MOST_NAMED = 20

/** A message in lower case, to stand inside a line. */
const lowered = (message: string) => message.charAt(0).toLowerCase() + message.slice(1)

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) freeze(inner)
  return Object.freeze(value)
}
