// What shares, exports and their users may be called (facts: atlas.md; exports(5), smb.conf(5)). The trap: in smb.conf `%` is a macro and a
// final backslash joins lines, so no text that goes there may have either.
import * as z from 'zod'

/** Windows' devices, Samba's own sections, and the shares that every Windows server has. */
const RESERVED =
  /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)|^(?:global|homes|printers|print\$|ipc\$|admin\$|fax\$|[a-z]\$|\.+)$/i

/** MS-FSCC 2.1.6 names what a share's name may not hold; `%` is Samba's. The first character is no mark, so that none is an option. */
const MARKS = "_$.!#&'()@^{}~-"
const SHARE = new RegExp(`^[\\p{L}\\p{N}_](?:(?!\\.\\.)[\\p{L}\\p{M}\\p{N} ${MARKS}])*(?<![. ])$`, 'u')
const SHARE_WORDS = `Expected letters, digits, blanks and ${[...MARKS].join(' ')}, beginning with a letter, digit or _, and no two dots`

export const ShareName = z
  .string()
  .max(80, 'Expected at most 80 characters')
  .regex(SHARE, SHARE_WORDS)
  .refine((name) => !RESERVED.test(name), 'This name is reserved')
  .meta({ example: 'data' })

export const Description = z
  .string()
  .max(256, 'Expected at most 256 characters')
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}%]*$/u, 'Expected no control characters and no %')
  .refine(
    (text) => text.trim() === text && !text.endsWith('\\'),
    'Expected no blanks around it and no backslash at its end',
  )

/**
 * `alice`, `@group`, `@DOMAIN\Domain Users`, `alice@corp.example.com`: whether there is one is Samba's business. What Windows refuses in a name
 * (`" / \ [ ] : ; | = , + * ? < >`) is in none, so quotes around it hold.
 */
const PERSON = "[\\p{L}\\p{N}_](?:[\\p{L}\\p{M}\\p{N}_.@&'()#!~^{}$ -]*[\\p{L}\\p{M}\\p{N}_.@&'()#!~^{}$-])?"
/** `CORP`, `corp.example.com`, `NT AUTHORITY`. */
const DOMAIN = '[\\p{L}\\p{N}](?:[\\p{L}\\p{M}\\p{N} ._-]{0,253}[\\p{L}\\p{M}\\p{N}._-])?'
export const ValidUser = z
  .string()
  .max(256, 'Expected at most 256 characters')
  .regex(
    new RegExp(`^@?(?:${DOMAIN}\\\\)?${PERSON}$`, 'u'),
    'Expected a user, @group, DOMAIN\\user or user@domain: letters, digits, blanks inside and _ . - @ & ( ) # ! ~ ^ { } $',
  )
  .meta({ example: 'alice' })
export const ValidUsers = z
  .array(ValidUser)
  .max(256, 'Expected at most 256 users')
  .transform((users) => [...new Set(users)])
  .meta({ id: 'ValidUsers', description: 'who may connect; nobody named: every user' })

/** Absolute, and the same however it is read: no `.`, `..` or empty parts, nothing that any of the programs reads as its own. */
export const SharePath = z
  .string()
  .max(1024, 'Expected at most 1024 characters')
  .regex(
    /^\/[^\p{Cc}\p{Zl}\p{Zp}%"\\]*$/u,
    'Expected an absolute path without control characters, %, quotes and backslashes',
  )
  .refine(isPlain, 'Expected a path without empty parts, . and .., and without blanks at its end')
  .meta({ description: 'mount point of the dataset (default), or a folder below it', example: '/tank/data' })

function isPlain(path: string): boolean {
  const parts = path.slice(1).split('/')
  return path.trim() === path && parts.every((part) => part !== '' && part !== '.' && part !== '..')
}

/** What an id of either kind looks like; another text is the id of nothing. */
export const ShareId = z
  .string()
  .regex(/^(?:smb|nfs)-[0-9a-f]{12}$/, 'Expected the id of a share or export, such as smb-0123456789ab')

/** Numbers, as in exports(5): the kernel asks nobody for names. */
const Number32 = z
  .int()
  .min(0)
  .max(2 ** 32 - 2)
export const SquashTo = z.strictObject({ uid: Number32, gid: Number32 }).meta({
  id: 'NFSSquash',
  description: 'every client works as this user and group (all_squash), whatever numbers it sends',
})
