// Names as the field has them: of Samba's users and shares, of iSCSI initiators, of NFS clients. What is taken has to come back from the file that it is
// written to, and nothing in it may end its place there (SEC-03).
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatList, parseList, parseSections, serializeSection } from '../../src/drivers/smb-conf.ts'
import { Initiator } from '../../src/features/iscsi/names.ts'
import { Clients, canonicalClient } from '../../src/features/shares/clients.ts'
import { ShareName, ValidUsers } from '../../src/features/shares/rules.ts'
import { runs } from '../harness/fuzz.ts'

const wordsOf = (
  schema: { safeParse: (value: unknown) => { error?: { issues: { message: string }[] } } },
  value: unknown,
) => schema.safeParse(value).error?.issues[0]?.message

describe('a user or group of Samba', () => {
  const good = [
    ...['alice', '@staff', 'OFFICE\\bob', '@Domain Users', '@CORP\\Domain Users', 'alice@corp.example.com', 'jörg'],
    ...['Анна', '田中', "O'Brien", 'pc1$', '_www', 'R&D', '@Research (EU)', 'corp.example.com\\jörg', 'e\u0301mile'],
    ...['NT AUTHORITY\\SYSTEM', '@BUILTIN\\Power Users'],
  ]
  it.each(good)('is taken: %s', (user) => expect(ValidUsers.parse([user])).toEqual([user]))

  it.each([
    ...[
      '',
      ' ',
      ' a',
      'a ',
      '@',
      '@ a',
      '@@a',
      '-a',
      '+group',
      '&group',
      '%U',
      'a%U',
      'a"b',
      '"a"',
      'a,b',
      'a;b',
      'a\\b\\c',
    ],
    ...[
      'a\nb',
      'a\tb',
      'a\0',
      'a\u2028b',
      'a/b',
      'a[b]',
      'a:b',
      'a|b',
      'a<b>',
      'a*',
      'a?',
      'a=b',
      '\\a',
      'a\\',
      'x'.repeat(257),
    ],
  ])('is refused: %j', (user) => expect(wordsOf(ValidUsers, [user])).toMatch(/^Expected /))

  it('comes back from the section that it is written to, and makes no other line of it', () => {
    const user = fc.oneof(
      fc.constantFrom(...good),
      fc.string({ maxLength: 20 }),
      fc.string({ unit: 'grapheme', maxLength: 12 }),
      fc.stringMatching(/^@?[A-Za-z" ,;\\'@.]{1,12}$/),
    )
    let taken = 0
    fc.assert(
      fc.property(fc.array(user, { minLength: 1, maxLength: 4 }), (users) => {
        const parsed = ValidUsers.safeParse(users)
        if (!parsed.success) return
        taken++
        const section = {
          name: 'data',
          parameters: new Map([
            ['valid users', formatList(parsed.data)],
            ['path', '/x'],
          ]),
        }
        const [found, ...more] = parseSections(serializeSection(section))
        expect([more, found?.parameters.size]).toEqual([[], 2])
        expect(parseList(found?.parameters.get('valid users') ?? '')).toEqual(parsed.data)
      }),
      { numRuns: runs(10_000) },
    )
    expect(taken).toBeGreaterThan(100)
  })

  it('of a list made by hand is read whichever way it is quoted', () =>
    expect(parseList('alice, "@Domain Users" @"CORP\\Domain Users";jörg')).toEqual([
      'alice',
      '@Domain Users',
      '@CORP\\Domain Users',
      'jörg',
    ]))
})

describe('the name of a share', () => {
  it.each([
    'data',
    'My Photos',
    'Fotos (2026)',
    'Größe',
    'データ',
    'a.b',
    "R&D's",
    'hidden$',
    'x'.repeat(80),
    '_a',
    '2026',
    'a@b',
  ])('is taken: %s', (name) => expect(ShareName.parse(name)).toBe(name))
  it.each([
    ...[
      '',
      ' a',
      'a ',
      'a.',
      '.a',
      'a..b',
      '-a',
      '$a',
      'a/b',
      'a\\b',
      'a[b',
      'a]',
      'a:b',
      'a|b',
      'a<b',
      'a>b',
      'a+b',
      'a=b',
      'a;b',
      'a,b',
    ],
    ...[
      'a*',
      'a?',
      'a"b',
      'a%U',
      'a\nb',
      'a\u0085',
      'x'.repeat(81),
      'global',
      'HOMES',
      'IPC$',
      'c$',
      'con',
      'Lpt1.txt',
    ],
  ])('is refused: %j', (name) => expect(ShareName.safeParse(name).success).toBe(false))
})

describe('an initiator', () => {
  it.each([
    ['iqn.1991-05.com.microsoft:WIN-ABC', 'iqn.1991-05.com.microsoft:win-abc'],
    ['IQN.1998-01.com.vmware:esx01-4f2a', 'iqn.1998-01.com.vmware:esx01-4f2a'],
    ['iqn.1993-08.org.debian:01:abc', 'iqn.1993-08.org.debian:01:abc'],
    ['iqn.1987-05.com.cisco', 'iqn.1987-05.com.cisco'],
    ['eui.02004567A425678D', 'eui.02004567a425678d'],
    ['naa.52004567ba64678d', 'naa.52004567ba64678d'],
    ['NAA.6001405ABCDEF01234567890ABCDEF12', 'naa.6001405abcdef01234567890abcdef12'],
  ])('%s is %s', (given, name) => expect(Initiator.parse(given)).toBe(name))
  it.each([
    ...[
      '',
      'pc1',
      'iqn.2026-13.com.example:a',
      'iqn.2026-11.com:a',
      'iqn.2026-11.com.example:a_b',
      'iqn.2026-11.com.example:a b',
    ],
    ...[
      'iqn.2026-11.com..example:a',
      'eui.0200',
      'eui.02004567a425678g',
      'naa.5',
      'naa.92004567ba64678d',
      'iqn.2026-11.com.example:a/b',
    ],
    ...['iqn.2026-11.com.example:a\n', `iqn.2026-11.com.example:${'x'.repeat(220)}`, 'eui.02004567a425678d/..'],
  ])('is refused: %j', (name) => expect(wordsOf(Initiator, name)).toMatch(/^(Not an initiator: expected|Expected)/))
})

describe('a client of NFS', () => {
  it.each([
    ['192.168.1.0/255.255.255.0', '192.168.1.0/24'],
    ['10.1.2.3/255.0.0.0', '10.0.0.0/8'],
    ['nas.lan.', 'nas.lan'],
    ['host_1.lan', 'host_1.lan'],
    ['_dmz.Example.com', '_dmz.example.com'],
    ['*.example.com', '*.example.com'],
    ['*.example.com.', '*.example.com'],
    ['pc?.lan', 'pc?.lan'],
    ['@trusted_hosts', '@trusted_hosts'],
    ['2001:DB8::1/64', '2001:db8::/64'],
    ['fd00::5', 'fd00::5'],
    ['10.0.0.1', '10.0.0.1'],
    ['*', '*'],
  ])('%s is %s', (given, client) => expect(canonicalClient(given)).toBe(client))
  it.each([
    '10.0.0.0/255.0.255.0',
    '10.0.0.0/0.0.0.255',
    '10.0.0.0/33',
    '10.0.0',
    'a..b',
    '.a',
    '..',
    'a b',
    'a(rw)',
    '-a',
    'a#',
    'fd00::/255.0.0.0',
  ])('is refused: %s', (client) => expect(canonicalClient(client)).toBeUndefined())
  it.each(['192.168.1.*', '10.?.?.?', '10.*'])('that is a pattern of addresses as %s is told of networks', (client) => {
    expect(wordsOf(Clients, [client])).toContain('such as 192.168.1.0/24')
  })
  it.each(['0.0.0.0/0', '0.0.0.0/0.0.0.0', '::/0', '0::/0'])('that is everybody as %s is told of *', (client) => {
    expect(wordsOf(Clients, [client])).toContain('Expected * for every client')
  })
})
