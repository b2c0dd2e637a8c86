// Valid names and secrets of iSCSI. The trap: an IQN becomes a folder of configfs and a line for lio.sh, and rtslib, which restores targets
// at boot, takes fewer names than the kernel: no capitals, no `_`, a domain of two parts.
import { createHash } from 'node:crypto'
import * as z from 'zod'
import { readLine } from '../../store/atomic.ts'

const LABEL = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?'
const IQN = new RegExp(`^iqn\\.[0-9]{4}-(?:0[1-9]|1[0-2])\\.${LABEL}(?:\\.${LABEL})+:[a-z0-9][a-z0-9.:-]*$`)

/** RFC 7143, 4.2.7, with the part behind the colon. */
export const Iqn = z
  .string()
  .max(223)
  .regex(IQN, 'Not an IQN such as iqn.2024-12.com.example:storage.target1 (small letters)')
  .refine((name) => !name.includes('..'), 'Not an IQN: two dots')
  .meta({ example: 'iqn.2024-12.com.example:storage.target1' })

/** Names of RFC 7143, 4.2.7, that rtslib takes as well; `iqn` ones of initiators need no colon. */
const INITIATOR = new RegExp(
  `^(?:iqn\\.[0-9]{4}-(?:0[1-9]|1[0-2])\\.${LABEL}(?:\\.${LABEL})+(?::[a-z0-9][a-z0-9.:-]*)?|eui\\.[0-9a-f]{16}|naa\\.(?:[125][0-9a-f]{15}|6[0-9a-f]{31}))$`,
)

/** Capitals are the same name: on the wire it is in small letters. */
export const Initiator = z
  .string()
  .max(223, 'Expected at most 223 characters')
  .transform((text, context) => {
    const name = text.toLowerCase()
    if (INITIATOR.test(name) && !name.includes('..')) return name
    context.addIssue({
      code: 'custom',
      message:
        'Not an initiator: expected an IQN such as iqn.1991-05.com.microsoft:pc1, eui. and 16, or naa. and 16 or 32 hexadecimal digits',
    })
    return z.NEVER
  })
  .meta({ type: 'string', example: 'iqn.1991-05.com.microsoft:pc1' })

/** A secret shorter than 12 bytes is refused by some initiators (RFC 7143, 9.2.1), one that begins with NULL deletes the kernel's. */
export const Chap = z
  .strictObject({
    username: z
      .string()
      .max(64)
      .regex(/^[A-Za-z0-9][A-Za-z0-9.:@_-]*$/, 'Expected letters, digits and . : @ _ -')
      .refine((name) => !name.startsWith('NULL'), 'A name that begins with NULL is the kernel’s word for none'),
    password: z
      .string()
      .min(12, 'Expected 12 to 64 characters')
      .max(64, 'Expected 12 to 64 characters')
      .regex(/^[\x21-\x7e]*$/, 'Expected visible ASCII characters without blanks')
      .refine((text) => !text.startsWith('NULL'), 'A password that begins with NULL is the kernel’s word for none')
      .meta({ format: 'password' }),
  })
  .meta({ id: 'CHAP' })

/** A target's id: of its name, so that it needs no place to be kept and is the same after every boot. */
export const targetId = (iqn: string) => `iscsi-${digest(iqn, 12)}`
export const TargetId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'Not a target id')

export const digest = (text: string, length: number) => createHash('sha256').update(text).digest('hex').slice(0, length)

/**
 * Every address, by one portal: LIO refuses `0.0.0.0` beside `[::]` on one target, and `[::]` serves IPv4 too, unless the system keeps
 * the two apart or has no IPv6.
 */
export const defaultPortals = () =>
  readLine('/proc/sys/net/ipv6/bindv6only') === '0' ? ['[::]:3260'] : ['0.0.0.0:3260']
