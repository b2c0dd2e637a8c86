// Names and passwords of share users and groups: what Samba and the system take, and what must never reach them.
import { describe, expect, it } from 'vitest'
import { FullName, ShareGroupName, SharePassword, ShareUserName } from '../../src/features/share-accounts/rules.ts'

const isTaken = (schema: { safeParse: (value: unknown) => { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success

describe('the name of a share user', () => {
  it.each([
    ...[
      'alice',
      'jo doe',
      'ждан',
      '山田',
      '田中 たろう',
      "o'neil",
      'a.b_c-d',
      'x',
      'straße',
      '1st',
      'josé',
      'علي',
      'नमन',
    ],
    ...['_www', 'x'.repeat(32)],
  ])('may be %s', (name) => expect(ShareUserName.parse(name)).toBe(name))

  it('is kept in lower case', () => {
    expect(ShareUserName.parse('Alice')).toBe('alice')
    expect(ShareUserName.parse('ЖДАН')).toBe('ждан')
  })

  it.each([
    ...[
      '',
      ' ',
      'a b ',
      ' a',
      'a  b',
      '-x',
      '+group',
      '@staff',
      '&x',
      '%u',
      'a"b',
      'a:b',
      'a\nb',
      'a\n',
      'a\tb',
      'a,b',
    ],
    ...['a\\b', '../x', 'a/b', '..', '.', 'a.', '12345', '٣٤', 'x'.repeat(33), 'x'.repeat(300), 'a\u200eb', '\u202eab'],
    ...['a\u200db', 'a\u00a0b', 'a\u2028b', 'a=b', 'a;b', 'a$(id)', 'a`id`', 'a|b', 'a*', 'a?', 'a[b]', 'a<b>', 'a#b'],
    ...['rооt', 'аdmin', 'ｒｏｏｔ', 'ﬁle', 'root', 'Root', 'nobody', 'administrator', 'Guest', 'a@corp', 'pc$', 'a\0'],
    ...['İstanbul', 'a\ud800b', 'e\u0301mile', 'everyone', 'Authenticated Users', 'Domain Users', '😀'],
  ])('may not be %j', (name) => expect(isTaken(ShareUserName, name)).toBe(false))
})

describe('the name of a share group', () => {
  it.each(['staff', 'team.a', '_x', 'a-b', 'x'.repeat(32)])('may be %s', (name) =>
    expect(ShareGroupName.parse(name)).toBe(name),
  )
  it.each([
    ...['my group', 'группа', 'a@b', '-x', '1st', 'a:b', 'a.', '', 'x'.repeat(33), 'users', 'a\n', 'a,b', '+a', 'Sudo'],
  ])('may not be %j', (name) => expect(isTaken(ShareGroupName, name)).toBe(false))
})

describe('the name of a share group that would give power', () => {
  it.each([
    ...['docker', 'Docker', 'lxd', 'incus-admin', 'libvirt', 'libvirt-qemu', 'kvm', 'admin', 'adm', 'wheel', 'sudo'],
    ...['root', 'disk', 'shadow', 'systemd-journal', 'podman', 'kmem', 'ssl-cert', 'edge-admin', 'winbindd_priv'],
  ])('may not be %s', (name) => expect(isTaken(ShareGroupName, name)).toBe(false))
})

describe('the password of a share user', () => {
  it.each(['a', 'with blank', 'пароль-ä1', '"quoted"', "it's", '%u', '😀'.repeat(60), 'x'.repeat(128), ' '])(
    'may be %s',
    (text) => expect(isTaken(SharePassword, text)).toBe(true),
  )
  it.each(['', 'x'.repeat(129), 'й'.repeat(128), 'one\ntwo', 'a\0b', 'a\rb', 'a\ud800', 'a\u0085b'])(
    'may not be %j',
    (text) => expect(isTaken(SharePassword, text)).toBe(false),
  )
})

describe('the full name of a share user', () => {
  it.each(['', 'Alice Müller', "O'Neil (EU)", '田中'])('may be %j', (text) => expect(FullName.parse(text)).toBe(text))
  it.each(['a:b', 'a\nb', 'a,b', 'a"b', 'a=b', 'a&b', 'a\\b', ' a', 'a ', 'a\u202eb', 'x'.repeat(101)])(
    'may not be %j',
    (text) => expect(isTaken(FullName, text)).toBe(false),
  )
})
