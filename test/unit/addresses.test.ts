// Addresses, netmasks and host names. A test of characters takes 999.1.1.1; these must not.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  canonical,
  family,
  inSameNetwork,
  isHostname,
  isMachine,
  prefixLength,
  roleIn,
} from '../../src/features/addresses.ts'

describe('family', () => {
  it.each([
    ['10.0.0.1', 4],
    ['255.255.255.255', 4],
    ['::', 6],
    ['2001:DB8::1', 6],
    ['::ffff:10.0.0.1', 6],
    ['999.1.1.1', 0],
    ['10.0.0', 0],
    ['10.0.0.01', 0],
    ['10.0.0.1 ', 0],
    ['...:::', 0],
    ['abc', 0],
    ['1::2::3', 0],
    ['fe80::1%eth0', 0],
    ['', 0],
  ])('of %j is %i', (text, expected) => {
    expect(family(text)).toBe(expected)
  })
  it('knows every generated address', () => {
    fc.assert(fc.property(fc.ipV4(), (address) => family(address) === 4))
    fc.assert(fc.property(fc.ipV6(), (address) => family(address) === 6))
  })
})

describe('isMachine', () => {
  it.each(['10.0.0.1', '192.168.1.100', '169.254.1.1', 'fe80::1', '2001:db8::5', 'fd00::1'])('takes %s', (address) => {
    expect(isMachine(address)).toBe(true)
  })
  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '127.0.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'ff02::1',
    'x',
    '',
  ])('refuses %s', (address) => {
    expect(isMachine(address)).toBe(false)
  })
})

describe('canonical', () => {
  it('is one for all spellings of an address', () => {
    expect(canonical('2001:DB8:0:0::0005')).toBe(canonical('2001:db8::5'))
    expect(canonical('10.0.0.1')).toBe('10.0.0.1')
  })
})

describe('prefixLength', () => {
  it('is the number of leading ones, for every mask there is', () => {
    for (let length = 1; length <= 32; length++) {
      const mask = (2 ** 32 - 2 ** (32 - length)).toString(16).padStart(8, '0')
      const dotted = mask
        .match(/../g)!
        .map((byte) => Number.parseInt(byte, 16))
        .join('.')
      expect(prefixLength(dotted, 4)).toBe(length)
      expect(prefixLength(`${length}`, 4)).toBe(length)
    }
    expect(prefixLength('/64', 6)).toBe(64)
    expect(prefixLength('128', 6)).toBe(128)
  })
  it.each<[string, 4 | 6]>([
    ['0.0.0.0', 4],
    ['255.0.255.0', 4],
    ['0.255.255.255', 4],
    ['255.255.255.256', 4],
    ['255.255.255', 4],
    ['33', 4],
    ['/0', 4],
    ['//24', 4],
    ['24/', 4],
    ['', 4],
    ['abc', 4],
    ['ffff::', 4],
    ['129', 6],
    ['0', 6],
    ['ffff:ffff::', 6],
    ['255.255.255.0', 6],
    ['/1.5', 6],
  ])('does not take %j for IPv%i', (mask, of) => {
    expect(prefixLength(mask, of)).toBeUndefined()
  })
})

describe('isHostname', () => {
  it.each([
    'a',
    'test.host',
    'HOST.Local',
    'pool.ntp.org',
    '3com.example',
    'a-b',
    '111',
    'n'.repeat(63),
    'xn--mnchen-3ya.de',
  ])('takes %s', (name) => {
    expect(isHostname(name)).toBe(true)
  })
  it.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    '-a',
    'a-',
    'a.-b',
    'a_b',
    'a b',
    'n'.repeat(64),
    'a.'.repeat(127) + 'a'.repeat(2),
    '999.1.1.1',
    '10.0.0.1',
    'a\n',
    '\u212aelvin',
  ])('refuses %j', (name) => {
    expect(isHostname(name)).toBe(false)
  })
})

describe('the place of an address in its network', () => {
  it('is known of every generated address, also of one that ends as IPv4', () => {
    expect([roleIn('::1.2.0.0', 112), roleIn('::1.2.3.4', 64), roleIn('::', 64)]).toEqual([
      'network',
      undefined,
      'network',
    ])
    expect([inSameNetwork('::1.2.3.4', '::102:304', 128), inSameNetwork('::1.2.3.4', '::1.3.3.4', 112)]).toEqual([
      true,
      false,
    ])
    expect(roleIn('10.0.0.255', 24)).toBe('broadcast')
    const low = fc.integer({ min: 0, max: 0xffff }).map((group) => group.toString(16))
    const short = fc.tuple(low, low).map(([a, b]) => `::${a}:${b}`)
    fc.assert(fc.property(fc.oneof(fc.ipV6(), short), (address) => inSameNetwork(address, address, 128)))
  })
})
