// The settings of the HTTPS port that can be changed while it is open: TLS versions and ciphers, HSTS, how long a
// client's session lasts without use, and whether the account `root` may use its password. They are kept in
// `https.json`; what is not set there is as the configuration has it.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { failedPrecondition, invalid } from '../../errors.ts'
import { check, invalidFields } from '../../field-errors.ts'
import type { Folders } from '../../folders.ts'
import { readJson, writeAtomic } from '../../store/atomic.ts'
import { checkpoint } from '../../store/checkpoint.ts'
import { KeyedMutex } from '../../store/keyed-mutex.ts'
import type { TlsChoice } from '../../tls-choice.ts'

export const TLS_VERSIONS = ['TLSv1.0', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const
/** Every other one is no longer safe (SEC-27), and OpenSSL refuses it. */
const SERVED = ['TLSv1.2', 'TLSv1.3'] as const
export const MOST_CIPHERS = 256
/** Minutes. */
const TIMEOUT = 15
const LONGEST_TIMEOUT = 24 * 60
const LONGEST_HSTS = 10 * 365 * 86_400

export const HttpsChange = z.object({
  tls_versions: z.array(z.enum(TLS_VERSIONS)).min(1).max(TLS_VERSIONS.length).optional(),
  ciphers: z
    .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{1,63}$/, 'Expected the name of a cipher'))
    .min(1)
    .max(MOST_CIPHERS)
    .optional(),
  session_timeout: z.int().min(1).max(LONGEST_TIMEOUT).optional(),
  permit_root_login: z.boolean().optional(),
  hsts_enable: z.boolean().optional(),
  hsts_max_age: z.int().min(0).max(LONGEST_HSTS).optional(),
})
export type HttpsChange = z.infer<typeof HttpsChange>
export type HttpsName = keyof HttpsChange

export interface Https {
  /** As they were asked for; undefined for the default. */
  asked: readonly string[] | undefined
  ciphers: readonly string[] | undefined
  /** The TLS versions that the port speaks; none without TLS. */
  spoken: readonly string[]
  /** Minutes. */
  sessionTimeout: number
  permitRootLogin: boolean
  hsts: boolean
  /** Seconds; undefined for the default. */
  hstsMaxAge: number | undefined
}

/** The open port. */
export interface TlsPort {
  spoken: () => readonly string[]
  /** New connections use this choice if `store` returns true. Rejects, before `store`, if nobody could connect. */
  changeTls: (choice: TlsChoice, store: () => boolean) => Promise<void>
}

export interface HttpsOptions {
  folders: Pick<Folders, 'state'>
  /** The configuration's `tls.hsts`. */
  hsts: boolean
  port: TlsPort
  /** Whether an administrator other than `root` can log in. */
  hasOtherAdministrator: () => boolean
  warn: (text: string, error?: unknown) => void
}

export class HttpsSettings {
  private readonly options: HttpsOptions
  private readonly file: string
  /** In memory, since every answer needs them; no other program writes the file. */
  private current: HttpsChange
  private readonly turns = new KeyedMutex()

  constructor(options: HttpsOptions) {
    this.options = options
    this.file = join(options.folders.state, 'https.json')
    this.current = this.read()
  }

  /** What cannot be read is refused, not allowed: root stays out. */
  private read(): HttpsChange {
    try {
      if (!existsSync(this.file)) return {}
      const stored = readJson(this.file)
      const { data } = HttpsChange.safeParse(stored)
      if (data) return data
      this.options.warn(`${this.file} is damaged: what is whole in it is used, and root may not log in by password`)
      return { ...wholeMembers(stored), permit_root_login: false }
    } catch (error) {
      this.options.warn(
        `${this.file} cannot be read: the defaults are used, and root may not log in by password`,
        error,
      )
      return { permit_root_login: false }
    }
  }

  get(settings = this.current): Https {
    const { tls_versions, ciphers, session_timeout, permit_root_login, hsts_enable, hsts_max_age } = settings
    return {
      ...{ asked: tls_versions, ciphers },
      spoken: this.options.port.spoken(),
      sessionTimeout: session_timeout ?? TIMEOUT,
      permitRootLogin: permit_root_login ?? true,
      hsts: hsts_enable ?? this.options.hsts,
      hstsMaxAge: hsts_max_age,
    }
  }

  /** The HSTS header of every answer: empty for none, undefined for that of the surface. */
  hstsHeader(): string | undefined {
    const { hsts_enable, hsts_max_age } = this.current
    if (!(hsts_enable ?? this.options.hsts)) return ''
    return hsts_max_age === undefined ? undefined : `max-age=${hsts_max_age}`
  }

  /** For the port, when it opens; undefined for the default. */
  choice(): TlsChoice | undefined {
    const { tls_versions, ciphers } = this.current
    return tls_versions || ciphers ? choiceOf(this.current) : undefined
  }

  /**
   * Sets what is given, and what is named in `unset` back to its default; with `dry` it only checks. TLS is tried before
   * anything is stored: a combination that nobody could connect with is refused.
   */
  async set(change: HttpsChange, unset: readonly HttpsName[] = [], { dry = false } = {}): Promise<Https> {
    const both = unset.find((name) => change[name] !== undefined)
    if (both) throw invalid('It is set and unset at once', { details: { field: both } })
    // One at a time, from reading to storing: two changes must not undo each other.
    const release = await this.turns.take(['https'])
    try {
      return await this.change({ ...without(this.current, unset), ...change }, [...Object.keys(change), ...unset], dry)
    } finally {
      release()
    }
  }

  private async change(wanted: HttpsChange, names: string[], dry: boolean): Promise<Https> {
    const checked = check(HttpsChange, wanted)
    if (checked.errors) throw invalidFields(checked.errors)
    const { data } = checked
    if (data.permit_root_login === false && names.includes('permit_root_login')) this.refuseWithoutAdministrator()
    const store = () => {
      if (dry) return false
      checkpoint('https-changing')
      writeAtomic(this.file, `${JSON.stringify(data)}\n`)
      checkpoint('https-stored')
      this.current = data
      return true
    }
    if (names.includes('tls_versions') || names.includes('ciphers')) await this.changeTls(choiceOf(data), store)
    else store()
    return this.get(data)
  }

  private refuseWithoutAdministrator(): void {
    if (!this.options.hasOtherAdministrator())
      throw failedPrecondition('Nobody could log in: root is the only administrator', {
        details: { field: 'permit_root_login' },
      })
  }

  private async changeTls(choice: TlsChoice, store: () => boolean): Promise<void> {
    if (choice.versions.length === 0)
      throw invalid('Nobody could connect: this appliance speaks TLSv1.2 and TLSv1.3', {
        details: { field: 'tls_version' },
      })
    let isTried = false
    try {
      await this.options.port.changeTls(choice, () => {
        isTried = true
        return store()
      })
    } catch (error) {
      if (isTried) throw error
      throw invalid('Nobody could connect with these versions and ciphers', {
        cause: error,
        details: { field: 'ciphers' },
      })
    }
  }
}

/** The members that are as they should be. */
function wholeMembers(stored: unknown): HttpsChange {
  if (typeof stored !== 'object' || stored === null) return {}
  return Object.assign(
    {},
    ...Object.entries(stored).map(([name, value]) => HttpsChange.safeParse({ [name]: value }).data),
  )
}

const without = (all: HttpsChange, unset: readonly HttpsName[]): HttpsChange =>
  Object.fromEntries(Object.entries(all).filter(([name]) => !unset.includes(name as HttpsName)))

const servedOf = (asked: readonly string[] | undefined) => SERVED.filter((version) => asked?.includes(version) ?? true)

const choiceOf = ({ tls_versions, ciphers }: HttpsChange): TlsChoice => ({
  versions: servedOf(tls_versions),
  ...(ciphers && { ciphers }),
})
