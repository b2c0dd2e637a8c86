// The settings of the HTTPS port that can be changed while it is open: TLS versions and ciphers, HSTS, how long a
// client's session lasts without use, and whether the account `root` may use its password. They are kept in
// `https.json`; what is not set there is as the configuration has it.
import { join } from 'node:path'
import * as z from 'zod'
import { ApiError, invalid } from '../../errors.ts'
import { check, invalidFields } from '../../field-errors.ts'
import type { Folders } from '../../folders.ts'
import { readJson, writeAtomic } from '../../store/atomic.ts'
import { CachedFile } from '../../store/cached-file.ts'
import { checkpoint } from '../../store/checkpoint.ts'
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
  /** What the port speaks. */
  served: readonly string[]
  /** Minutes. */
  sessionTimeout: number
  permitRootLogin: boolean
  hsts: boolean
  /** Seconds; undefined for the default. */
  hstsMaxAge: number | undefined
}

export interface HttpsOptions {
  folders: Pick<Folders, 'state'>
  /** The configuration's `tls.hsts`. */
  hsts: boolean
  /** Rejects if nobody could connect to a port with this choice. */
  tried: (choice: TlsChoice) => Promise<void>
  /** Makes the open port use this choice for new connections. */
  apply: (choice: TlsChoice) => void
  warn: (text: string, error?: unknown) => void
}

export class HttpsSettings {
  private readonly options: HttpsOptions
  private readonly file: string
  private readonly stored: CachedFile<HttpsChange>

  constructor(options: HttpsOptions) {
    this.options = options
    this.file = join(options.folders.state, 'https.json')
    this.stored = new CachedFile(this.file, (there) => {
      const read = there ? HttpsChange.safeParse(readJson(this.file)).data : {}
      if (!read) options.warn(`${this.file} is damaged: the defaults are used`)
      return read ?? {}
    })
  }

  get(): Https {
    const { tls_versions, ciphers, session_timeout, permit_root_login, hsts_enable, hsts_max_age } = this.stored.get()
    return {
      ...{ asked: tls_versions, ciphers },
      served: servedOf(tls_versions),
      sessionTimeout: session_timeout ?? TIMEOUT,
      permitRootLogin: permit_root_login ?? true,
      hsts: hsts_enable ?? this.options.hsts,
      hstsMaxAge: hsts_max_age,
    }
  }

  /** The HSTS header of every answer: empty for none, undefined for that of the surface. */
  hstsHeader(): string | undefined {
    const { hsts_enable, hsts_max_age } = this.stored.get()
    if (!(hsts_enable ?? this.options.hsts)) return ''
    return hsts_max_age === undefined ? undefined : `max-age=${hsts_max_age}`
  }

  /** For the port, when it opens. */
  choice(): TlsChoice {
    return choiceOf(this.stored.get())
  }

  /**
   * Sets what is given, and what is named in `unset` back to its default. TLS is tried before anything is stored: a
   * combination that nobody could connect with is refused.
   */
  async set(change: HttpsChange, unset: readonly HttpsName[] = [], { dry = false } = {}): Promise<Https> {
    const wanted = { ...this.stored.get(), ...change }
    const checked = check(HttpsChange, without(wanted, unset))
    if (checked.errors) throw invalidFields(checked.errors)
    const { data } = checked
    const [before, choice] = [this.choice(), choiceOf(data)]
    const isTls = JSON.stringify(choice) !== JSON.stringify(before)
    if (isTls) await this.tryChoice(choice)
    if (dry) return this.get()
    checkpoint('https-changing')
    writeAtomic(this.file, `${JSON.stringify(data)}\n`)
    checkpoint('https-stored')
    if (isTls) this.options.apply(choice)
    return this.get()
  }

  private async tryChoice(choice: TlsChoice): Promise<void> {
    if (choice.versions.length === 0)
      throw invalid('Nobody could connect: this appliance speaks TLSv1.2 and TLSv1.3', {
        details: { field: 'tls_version' },
      })
    try {
      await this.options.tried(choice)
    } catch (error) {
      if (error instanceof ApiError) throw error
      throw invalid('Nobody could connect with these versions and ciphers', {
        cause: error,
        details: { field: 'ciphers' },
      })
    }
  }
}

const without = (all: HttpsChange, unset: readonly HttpsName[]): HttpsChange =>
  Object.fromEntries(Object.entries(all).filter(([name]) => !unset.includes(name as HttpsName)))

const servedOf = (asked: readonly string[] | undefined) => SERVED.filter((version) => asked?.includes(version) ?? true)

const choiceOf = ({ tls_versions, ciphers }: HttpsChange): TlsChoice => ({
  versions: servedOf(tls_versions),
  ...(ciphers && { ciphers }),
})
