// What share users and groups may be called, and their passwords. Measured with Samba 4.22 and shadow 4.17: `useradd`
// takes blanks and letters of any script with --badname, `groupadd` does not; a name with @ logs in, but Samba does not
// find it in `valid users`. Names are kept in lower case, because Samba compares them without case.
import * as z from 'zod'

/** Samba, Windows or the system give these a meaning, whether there is such an account or not. */
const RESERVED = new Set([
  ...['administrator', 'administrators', 'anonymous', 'anonymous logon', 'authenticated users', 'creator group'],
  ...['creator owner', 'domain admins', 'domain guests', 'domain users', 'everyone', 'guest', 'guests', 'interactive'],
  ...['local service', 'network', 'network service', 'nobody', 'nogroup', 'none', 'owner rights', 'root', 'self'],
  ...['service', 'shadow', 'sudo', 'system', 'users', 'wheel', 'world'],
])
/**
 * Groups that give power by their name alone: programs, device rules and sudo look them up, and a package that is
 * installed later takes over one that is there. Where the system has such a group already, its name is refused anyway.
 */
const POWERFUL = new Set([
  ...[
    'adm',
    'admin',
    'audio',
    'backup',
    'bin',
    'ceph',
    'clock',
    'crontab',
    'daemon',
    'dialout',
    'dip',
    'disk',
    'docker',
  ],
  ...['fuse', 'incus', 'incus-admin', 'input', 'kmem', 'kvm', 'lp', 'lpadmin', 'lxd', 'mail', 'mem', 'messagebus'],
  ...['microk8s', 'netdev', 'operator', 'plugdev', 'podman', 'polkitd', 'postgres', 'qemu', 'render', 'sambashare'],
  ...[
    'sasl',
    'sgx',
    'src',
    'ssh',
    'ssl-cert',
    'sshd',
    'sys',
    'tape',
    'tss',
    'tty',
    'utmp',
    'uucp',
    'vboxusers',
    'video',
  ],
  ...['winbindd_priv', 'wireshark', 'www-data', 'zfs'],
])
const gives = (name: string) => POWERFUL.has(name) || /^(?:_ssh|systemd-|libvirt|edge-admin)/.test(name)

/** Scripts that are written together. */
const SCRIPTS = [
  ...['Latin', 'Greek', 'Cyrillic', 'Arabic', 'Hebrew', 'Armenian', 'Georgian', 'Ethiopic', 'Thai', 'Lao', 'Khmer'],
  ...['Myanmar', 'Devanagari', 'Bengali', 'Gurmukhi', 'Gujarati', 'Oriya', 'Tamil', 'Telugu', 'Kannada', 'Malayalam'],
  ...['Sinhala', 'Mongolian', 'Tibetan', 'Cherokee'],
].map((script) => new RegExp(`^[\\p{Script=${script}}\\p{M}]*$`, 'u'))
const EAST_ASIAN =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\u30fc\u3005]*$/u

/** A name of two scripts looks like one that it is not: `root` with a Cyrillic o. */
function isOneScript(name: string): boolean {
  const letters = name.replace(/[^\p{L}\p{M}]/gu, '')
  return EAST_ASIAN.test(letters) || SCRIPTS.some((script) => script.test(letters))
}

/** Samba's case tables are of single characters: a letter that becomes two would be another name there. */
const keepsLength = (name: string) => [...name.toLowerCase()].length === [...name].length

const small = (name: string) => name.toLowerCase()
const isFree = (name: string) => !RESERVED.has(small(name))

export const ShareUserName = z
  .string()
  .max(32, 'Expected at most 32 characters')
  .regex(
    /^[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}_.' -]*[\p{L}\p{M}\p{N}_-])?$/u,
    'Expected letters, digits, blanks inside and _ . - \', beginning with a letter, digit or _ (Samba does not find names with @ in "valid users")',
  )
  .regex(/\p{L}/u, 'Expected at least one letter: a number would be read as an ID')
  .regex(/^(?!.* {2})/u, 'Expected single blanks')
  .refine((name) => name === name.normalize('NFKC') && keepsLength(name), 'Expected plain letters and digits')
  .refine(isOneScript, 'Expected letters of one script')
  .refine(isFree, 'This name is reserved')
  .transform(small)
  .meta({ description: 'kept in lower case: Samba compares names without case', example: 'alice' })

export const ShareGroupName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/, 'Expected 1 to 32 letters, digits and _ . -, beginning with a letter or _')
  .refine((name) => !name.endsWith('.'), 'Expected no dot at the end')
  .refine(isFree, 'This name is reserved')
  .refine((name) => !gives(small(name)), 'This name is reserved: such a group may give more than access to files')
  .transform(small)
  .meta({ description: 'kept in lower case: Samba compares names without case', example: 'crew' })

/** A field of /etc/passwd, where a colon ends it and a comma begins the telephone number. */
export const FullName = z
  .string()
  .max(100, 'Expected at most 100 characters')
  .regex(/^[^\p{C}\p{Zl}\p{Zp}:,="\\&]*$/u, 'Expected no control characters and none of : , = " \\ &')
  .refine((text) => text.trim() === text, 'Expected no blanks around it')

export const MOST_PASSWORD = 128
/** Windows takes 127 or 128 characters; `smbpasswd` reads one line of at most 254 bytes. */
export const SharePassword = z
  .string()
  .min(1, 'Expected a password')
  .refine((text) => [...text].length <= MOST_PASSWORD, `Expected at most ${MOST_PASSWORD} characters`)
  .refine((text) => Buffer.byteLength(text) <= 254, 'Expected at most 254 bytes of UTF-8')
  .regex(/^[^\p{Cc}]*$/u, 'Expected no control characters')
  .refine((text) => !/\p{Surrogate}/u.test(text), 'Expected whole characters')
  .meta({ format: 'password', maxLength: MOST_PASSWORD })
