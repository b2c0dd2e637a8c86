// How complex the passwords of accounts have to be. Checked when an account gets a new password, whichever surface it
// comes through; passwords that exist stay. The rules of every account (rules.ts) hold besides.
import { join } from 'node:path'
import * as z from 'zod'
import { opaque } from '../../auth/opaque-string.ts'
import { ApiError, invalid } from '../../errors.ts'
import { check, invalidFields } from '../../field-errors.ts'
import type { Folders } from '../../folders.ts'
import { readJson, writeAtomic } from '../../store/atomic.ts'
import { CachedFile } from '../../store/cached-file.ts'
import { checkpoint } from '../../store/checkpoint.ts'

/** Characters of the longest password. */
const LONGEST = 128
const count = z.int().min(0).max(LONGEST)

export const PasswordComplexity = z.object({
  passlength: z.int().min(1).max(LONGEST).describe('the least number of characters'),
  min_letters: count.describe('at least min_upper + min_lower'),
  min_upper: count,
  min_lower: count,
  min_digit: count,
  min_punctuation: count,
  max_repeats: count.describe('the longest run of one character; 0 if it is not checked'),
  namecheck: z.boolean().describe('the password must not be the user name, its reverse, or either of them rotated'),
})
export type PasswordComplexity = z.infer<typeof PasswordComplexity>

const DEFAULT: PasswordComplexity = {
  passlength: 8,
  min_letters: 0,
  min_upper: 0,
  min_lower: 0,
  min_digit: 0,
  min_punctuation: 0,
  max_repeats: 0,
  namecheck: true,
}

type Change = { [Rule in keyof PasswordComplexity]?: PasswordComplexity[Rule] | undefined }

const given = (change: Change): Partial<PasswordComplexity> =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))

export class PasswordRules {
  private readonly file: string
  private readonly stored: CachedFile<PasswordComplexity | undefined>

  constructor(folders: Pick<Folders, 'state'>) {
    this.file = join(folders.state, 'password-rules.json')
    this.stored = new CachedFile(this.file, (there) =>
      there ? PasswordComplexity.safeParse(readJson(this.file)).data : DEFAULT,
    )
  }

  get(): PasswordComplexity {
    const rules = this.stored.get()
    if (!rules) throw new ApiError('unavailable', 'The rules for passwords cannot be read: set them anew')
    return rules
  }

  /** Changes the given rules, sets those of `unset` back, or with `dry` only checks it. Throws if no password could follow all of them. */
  set(change: Change, unset: readonly (keyof PasswordComplexity)[] = [], { dry = false } = {}): PasswordComplexity {
    const both = unset.find((rule) => change[rule] !== undefined)
    if (both) throw invalid('It is set and unset at once', { details: { field: both } })
    const back = Object.fromEntries(unset.map((rule) => [rule, DEFAULT[rule]]))
    const rules = { ...(this.stored.get() ?? DEFAULT), ...back, ...given(change) }
    const { errors } = check(PasswordComplexity, rules)
    if (errors) throw invalidFields(errors)
    refuseImpossible(rules)
    if (dry) return rules
    checkpoint('password-rules-changing')
    writeAtomic(this.file, `${JSON.stringify(rules)}\n`)
    checkpoint('password-rules-stored')
    return rules
  }

  /** Throws if an account with this name must not get this password. */
  check(password: string, username: string): void {
    const message = objectionTo(opaque(password), username, this.get())
    if (message) throw invalid(message, { details: { field: 'password' } })
  }
}

function refuseImpossible({ min_letters, min_upper, min_lower, min_digit, min_punctuation }: PasswordComplexity): void {
  if (min_letters < min_upper + min_lower)
    throw invalid('Expected at least min_upper + min_lower', { details: { field: 'min_letters' } })
  // Every password has a letter and a digit (rules.ts).
  if (Math.max(1, min_letters) + Math.max(1, min_digit) + min_punctuation > LONGEST)
    throw invalid(`Expected letters, digits and punctuation to fit into ${LONGEST} characters`, {
      details: { field: 'min_letters' },
    })
}

const KINDS = [
  ['min_letters', /\p{L}/u, 'letter'],
  ['min_upper', /\p{Lu}/u, 'upper case letter'],
  ['min_lower', /\p{Ll}/u, 'lower case letter'],
  ['min_digit', /\p{Nd}/u, 'digit'],
  ['min_punctuation', /[\p{P}\p{S}]/u, 'punctuation character'],
] as const

/** What is wrong with the password; undefined if nothing. */
export function objectionTo(password: string, username: string, rules: PasswordComplexity): string | undefined {
  const characters = [...password]
  if (characters.length < rules.passlength) return `Expected at least ${rules.passlength} characters`
  for (const [rule, kind, noun] of KINDS) {
    const least = rules[rule]
    if (characters.filter((one) => kind.test(one)).length < least)
      return `Expected at least ${least} ${noun}${least === 1 ? '' : 's'}`
  }
  if (rules.max_repeats > 0 && longestRun(characters) > rules.max_repeats)
    return `Expected no character more than ${rules.max_repeats} times in a row`
  if (rules.namecheck && isLikeName(password, username)) return 'Expected no form of the user name'
  return undefined
}

function longestRun(characters: string[]): number {
  let longest = 0
  let run = 0
  for (const [at, one] of characters.entries()) {
    run = one === characters[at - 1] ? run + 1 : 1
    longest = Math.max(longest, run)
  }
  return longest
}

function isLikeName(password: string, username: string): boolean {
  const [word, name] = [password.toLowerCase(), username.toLowerCase()]
  if (word.length !== name.length) return false
  const twice = name + name
  return twice.includes(word) || twice.includes([...word].reverse().join(''))
}
