// GET and PUT /api/setting/v2/password: how complex the passwords of accounts have to be (ZFSSA RESTful API guide,
// "Password Complexity").
import * as z from 'zod'
import { PasswordComplexity } from '../../features/users/password-rules.ts'
import { define, VersionParam } from './context.ts'
import { json } from './json.ts'
import { type Prop, PropsView, withProps } from './props.ts'
import { Count, Flag, Props } from './values.ts'

const PATH = '/api/setting/{version}/password'
const about = {
  path: PATH,
  tag: 'Setting',
  params: z.object({ version: VersionParam }),
  query: z.object({ props: Props }),
  response: z.object({
    complexity: PasswordComplexity.extend({ href: z.string() }),
    props: PropsView,
  }),
} as const

const integer = (name: string, label: string): Prop => ({ name, label, type: 'Integer', immutable: false })
const PROPS: readonly Prop[] = [
  integer('passlength', 'Minimum length'),
  integer('min_letters', 'Minimum number of letters'),
  integer('min_upper', 'Minimum number of upper case letters'),
  integer('min_lower', 'Minimum number of lower case letters'),
  integer('min_digit', 'Minimum number of digits'),
  integer('min_punctuation', 'Minimum number of punctuation characters'),
  integer('max_repeats', 'Maximum repeats of a character'),
  { name: 'namecheck', label: 'Refuse forms of the user name', type: 'Boolean', immutable: false },
]

const view = (complexity: PasswordComplexity, props: unknown) =>
  withProps({ complexity: { href: '/api/setting/v2/password', ...complexity } }, PROPS, props)

const count = Count.optional()
type Rule = keyof PasswordComplexity

export const getPasswordRules = define({
  ...about,
  method: 'GET',
  id: 'getPasswordRules',
  summary: 'Show how complex the passwords of accounts have to be',
  permission: 'viewer',
  handle: ({ query }, { accounts }) => json(view(accounts.rules.get(), query['props'])),
})

export const setPasswordRules = define({
  ...about,
  method: 'PUT',
  id: 'setPasswordRules',
  action: 'settings.password-rules',
  summary: 'Change how complex the passwords of accounts have to be',
  description:
    'From then on every new password of an account has to follow the rules, on every surface; passwords that exist stay. Besides, every password has 8 to 128 characters, a letter and a digit.',
  permission: 'administrator',
  status: 202,
  body: z.strictObject({
    passlength: count,
    min_letters: count,
    min_upper: count,
    min_lower: count,
    min_digit: count,
    min_punctuation: count,
    max_repeats: count,
    namecheck: Flag.optional(),
    unset: z
      .array(z.enum(Object.keys(PasswordComplexity.shape) as [Rule, ...Rule[]]))
      .max(20)
      .optional(),
  }),
  handle({ body: { unset, ...rules }, query, audit }, { accounts, saveState }) {
    const dry = query['props'] === true
    const now = accounts.rules.set(rules, unset, { dry })
    audit(dry ? 'settings.password-rules.plan' : 'settings.password-rules', '')
    if (!dry) void saveState()
    return json(view(now, query['props']), 202)
  },
})

export const passwordEndpoints = [getPasswordRules, setPasswordRules]
