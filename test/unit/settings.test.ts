// POST and GET /settings without HTTP. `original` must answer as recorded, `strict` is what appliances run.
import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ApiError } from '../../src/errors.ts'
import { readSettings, type Settings, storedSettings } from '../../src/features/settings/settings.ts'
import { parseShellAssignments } from '../../src/store/shell-file.ts'
import { runs } from '../harness/fuzz.ts'
import { recorded } from './settings-corpus.ts'

/** What is refused in `original` too, although the recorded one took it. */
const REFUSED = {
  'F.settings.hostname_null': 'Invalid value for option: hostname. Expected a string',
  'F.settings.hostname_num': 'Invalid value for option: hostname. Expected a string',
  'F.settings.trailing_comma': '',
  'F.settings.dup_keys': 'A name is used twice in one object of the document',
}

const attempt = (text: string, mode: 'strict' | 'original' = 'strict'): Settings | string => {
  try {
    return readSettings(text, mode)
  } catch (error) {
    if (error instanceof ApiError && error.kind === 'invalid') return error.message
    throw error
  }
}
const post = (network: unknown, rest: object = { app: {} }, mode: 'strict' | 'original' = 'strict') =>
  attempt(JSON.stringify({ network, ...rest }), mode)

const dhcp = { interface: 'eth0', hostname: 'test.host' }
const fixed = { ...dhcp, ip_address: '192.168.1.100', netmask: '255.255.255.0', gateway: '192.168.1.1' }
const fixed6 = { ...dhcp, ip_address: '2001:db8::5', netmask: '/64', gateway: '2001:db8::1' }

describe('settings as the original takes them', () => {
  const cases = recorded('settings')
  it('has the recorded cases to compare with', () => {
    expect(cases.length).toBeGreaterThan(20)
    expect(cases.map(({ id }) => id)).toEqual(expect.arrayContaining(Object.keys(REFUSED)))
  })
  it.each(cases)('answers $id as recorded', ({ id, text, status, sane, message, files }) => {
    const answer = attempt(text, 'original')
    if (id in REFUSED) {
      expect(answer).toBe(REFUSED[id as keyof typeof REFUSED])
      expect(sane).toContain(400)
    } else if (status === 400) expect(answer).toBe(message)
    else {
      expect(answer).toMatchObject({
        appJson: files['app.json'],
        networkJson: files['network.json'],
        networkConf: files['network.conf'],
        mode: files['network.conf']!.startsWith('mode=static') ? 'static' : 'dhcp',
      })
    }
  })
  it.each(['[]', '"text"', '12', 'null', 'true', '{"network":[]}', '{"network":null}', '{"app":{}}', '{"network":{}}'])(
    'misses the interface first in %s',
    (text) => {
      const expected = 'Invalid string length for option: interface. Allowed: >= 3 and <= 14'
      expect(attempt(text, 'original')).toBe(expected)
      expect(attempt(text, 'strict')).toBe(expected.replace('>= 3 and <= 14', '>= 1 and <= 15'))
    },
  )
  it.each(['', '{}', ' {} ', 'x', '{"network"', '\ufeff{}'])('has no words for %j', (text) => {
    expect(attempt(text, 'original')).toBe('')
    expect(attempt(text, 'strict')).toBe('')
  })
  it('drops unknown members, and writes none of them where a shell reads', () => {
    const answer = post(
      { ...dhcp, mode: 'x', 'evil$(id)': '`id`' },
      { app: { a: 1 }, other: 2 },
      'original',
    ) as Settings
    expect(answer.networkJson).toBe('{"mode":"dhcp","interface":"eth0","hostname":"test.host"}\n')
    expect(answer.networkConf).toBe('mode=dhcp\ninterface=eth0\nhostname="test.host"\nntpserver=""\n')
  })
  it('reports the first failure in the order of the members, characters before length', () => {
    const bad = { ntpserver: '!', gateway: '!', hostname: '!', interface: '!' }
    expect(post(bad)).toMatch(/^Missing or invalid string for option: interface\. Allowed: 0123456789ABC.*xyz\._-$/)
    expect(post(bad, { app: {} }, 'original')).toMatch(/interface\. Allowed: 0123456789ABC.*xyz$/)
    expect(post({ ...bad, interface: 'eth0' })).toMatch(/option: hostname\. Allowed: .*xyz\.-$/)
    expect(post({ ...bad, interface: 'eth0', hostname: 'h.h' })).toBe(
      'Missing or invalid string for option: gateway. Allowed: abcdef0123456789ABCDEF.:',
    )
    expect(post({ ...dhcp, netmask: '/8x' })).toMatch(/netmask\. Allowed: abcdef0123456789ABCDEF\.:\/$/)
    expect(post({ ...dhcp, hostname: '' })).toBe('Invalid string length for option: hostname. Allowed: >= 1 and <= 64')
    expect(post({ ...dhcp, interface: 'eth\u212a' })).toMatch(/^Missing or invalid string for option: interface/)
  })
})

describe('settings as appliances take them', () => {
  it('writes the three files of a static address', () => {
    const answer = post(
      { ...fixed, dns1: '192.168.1.2', dns2: '192.168.1.3', ntpserver: 'pool.ntp.org' },
      { app: { name: 'x' } },
    )
    expect(answer).toEqual({
      mode: 'static',
      appJson: '{"name":"x"}\n',
      networkJson:
        '{"mode":"static","interface":"eth0","hostname":"test.host","ip_address":"192.168.1.100","netmask":"255.255.255.0",' +
        '"gateway":"192.168.1.1","dns1":"192.168.1.2","dns2":"192.168.1.3","ntpserver":"pool.ntp.org"}\n',
      networkConf:
        'mode=static\ninterface=eth0\nip=192.168.1.100\nsubnet=255.255.255.0\nrouter=192.168.1.1\n' +
        'dns="192.168.1.2 192.168.1.3"\nhostname="test.host"\nntpserver="pool.ntp.org"\n',
    })
  })
  it('keeps the order of the members in network.json, and of an app that is left out nothing', () => {
    expect(attempt('{"network":{"hostname":"abc","interface":"eth0","dns2":"1.1.1.1"}}')).toMatchObject({
      networkJson: '{"mode":"dhcp","hostname":"abc","interface":"eth0","dns2":"1.1.1.1"}\n',
      appJson: '{}\n',
    })
  })
  it('takes an optional member that is empty as left out', () => {
    expect(post({ ...dhcp, ip_address: '', dns1: '' })).toMatchObject({ mode: 'dhcp' })
  })
  it.each([
    [{ ...dhcp, hostname: 123 }, 'Invalid value for option: hostname. Expected a string'],
    [{ ...dhcp, interface: ['eth0'] }, 'Invalid value for option: interface. Expected a string'],
    [{ ...dhcp, dns1: null }, 'Invalid value for option: dns1. Expected a string'],
    [{ ...dhcp, netmask: false }, 'Invalid value for option: netmask. Expected a string'],
    [{ ...dhcp, hostname: 'a..b' }, 'Invalid name for option: hostname. Expected a host name'],
    [{ ...dhcp, hostname: '-abc' }, 'Invalid name for option: hostname. Expected a host name'],
    [
      { ...dhcp, ntpserver: 'a:b' },
      'Invalid name for option: ntpserver. Expected a host name, an IPv4 or an IPv6 address',
    ],
    [
      { ...dhcp, ntpserver: '999.1.1.1' },
      'Invalid name for option: ntpserver. Expected a host name, an IPv4 or an IPv6 address',
    ],
    [{ ...fixed, ip_address: '999.1.1.1' }, 'Invalid address for option: ip_address. Expected an IPv4 or IPv6 address'],
    [{ ...fixed, gateway: 'abc' }, 'Invalid address for option: gateway. Expected an IPv4 or IPv6 address'],
    [{ ...dhcp, dns1: '...:::' }, 'Invalid address for option: dns1. Expected an IPv4 or IPv6 address'],
    [{ ...dhcp, dns2: '1.1.1' }, 'Invalid address for option: dns2. Expected an IPv4 or IPv6 address'],
    [{ ...dhcp, ip_address: '10.0.0.5' }, 'Incomplete static settings. Missing: netmask'],
    [{ ...fixed, netmask: '' }, 'Incomplete static settings. Missing: netmask'],
    [{ ...dhcp, netmask: '24' }, 'Incomplete static settings. Missing: ip_address'],
    [
      { ...fixed, netmask: '255.0.255.0' },
      'Invalid value for option: netmask. Expected a contiguous mask, or a prefix length from 1 to 32',
    ],
    [
      { ...fixed, netmask: '/64' },
      'Invalid value for option: netmask. Expected a contiguous mask, or a prefix length from 1 to 32',
    ],
    [
      { ...fixed6, netmask: '255.255.255.0' },
      'Invalid value for option: netmask. Expected a prefix length from 1 to 128',
    ],
    [
      { ...fixed, gateway: '2001:db8::1' },
      'Invalid address for option: gateway. Expected an address of the same family as ip_address',
    ],
    [
      { ...fixed6, gateway: '2001:DB8:0::5' },
      'Invalid address for option: gateway. Expected another address than ip_address',
    ],
    [
      { ...fixed, ip_address: '224.0.0.1' },
      'Invalid address for option: ip_address. Expected neither a loopback, multicast nor reserved address',
    ],
    [
      { ...fixed, gateway: '0.0.0.0' },
      'Invalid address for option: gateway. Expected neither a loopback, multicast nor reserved address',
    ],
    [
      { ...dhcp, extra: 'x' },
      'Unknown option in network: "extra". Allowed: interface, hostname, ip_address, netmask, gateway, dns1, dns2, ntpserver',
    ],
    [
      { ...dhcp, ntp_sever: 'x', '\r\nX': 1 },
      'Unknown option in network: "ntp_sever" (did you mean "ntpserver"?), "??X". Allowed: interface, hostname, ip_address, netmask, gateway, dns1, dns2, ntpserver',
    ],
    [{ ...dhcp, mode: 'bridge' }, 'Invalid option: mode. Allowed: static, dhcp'],
  ])('refuses %j', (network, message) => {
    expect(post(network)).toBe(message)
  })
  it('refuses unknown members beside network and app, and an app that is no object', () => {
    expect(post(dhcp, { app: {}, canary: 1 })).toBe('Unknown option in the settings: "canary". Allowed: network, app')
    for (const app of [null, [], 'x', 1]) {
      expect(post(dhcp, { app })).toBe('Invalid value for option: app. Expected an object')
    }
  })
  it.each(['{"a":{"__proto__":{"x":1}}}', '{"constructor":1}', '{"a":"\\ud800"}', '{"a":1,"a":2}'])(
    'SEC-39 refuses the app %s in both modes',
    (app) => {
      const text = `{"network":${JSON.stringify(dhcp)},"app":${app}}`
      expect(() => JSON.parse(text)).not.toThrow()
      expect(attempt(text, 'strict')).toMatch(/document/)
      expect(attempt(text, 'original')).toMatch(/document/)
      expect(({} as Record<string, unknown>).x).toBeUndefined()
    },
  )
  it.each([dhcp, fixed, fixed6, { ...fixed, netmask: '24' }])('takes back what it shows of %j', (network) => {
    const first = post(network, { app: { a: [1, { b: null }] } }) as Settings
    const shown = JSON.parse(storedSettings(first.appJson, first.networkJson, 'strict'))
    expect(Object.keys(shown)).toEqual(['network', 'app'])
    expect(shown.network.mode).toBe(first.mode)
    expect(attempt(JSON.stringify(shown))).toEqual(first)
  })
  it.each([
    ...['null', '1', '1.50', '"text"', '[1,[2]]', '12345678901234567890', 'true', '{"b" : 1e5,"a":"Ünï"}', '""'],
    `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  ])('keeps any app as it was written where it stands in for the original: %.40s', (app) => {
    const { appJson, networkJson } = attempt(
      `{"app": ${app} ,"network":${JSON.stringify(dhcp)}}`,
      'original',
    ) as Settings
    expect(appJson).toBe(`${app}\n`)
    expect(storedSettings(appJson, networkJson, 'original')).toBe(
      `{"network":${JSON.stringify({ mode: 'dhcp', ...dhcp })},"app":${app}}`,
    )
  })

  const errorsOf = (network: object) => {
    try {
      readSettings(JSON.stringify({ network }), 'strict')
    } catch (error) {
      return (error as ApiError).details?.['errors'] as { field: string; message: string }[]
    }
    return []
  }
  it('names everything that is wrong at once, each with its field', () => {
    const wrong = {
      interface: 'a/b',
      hostname: 'nas_1!',
      ip_address: '192.168.1.300',
      netmask: '255.0.255.0',
      dns1: 'x',
    }
    expect(errorsOf(wrong).map(({ field }) => field)).toEqual(['interface', 'hostname', 'dns1', 'ip_address'])
    const rest = errorsOf({ ...fixed, netmask: '99', dns2: '224.0.0.1', ntpserver: 'a..b' })
    expect(rest.map(({ field }) => field)).toEqual(['dns2', 'ntpserver', 'netmask'])
  })
  it.each([
    ['192.168.1.0', '255.255.255.0', '192.168.1.1', ['ip_address']],
    ['192.168.1.255', '24', '192.168.1.1', ['ip_address']],
    ['192.168.1.5', '24', '192.168.1.0', ['gateway']],
    ['192.168.1.5', '24', '192.168.1.255', ['gateway']],
    ['192.168.1.5', '24', '192.168.2.1', ['gateway']],
    ['10.0.0.127', '255.255.255.128', '10.0.0.1', ['ip_address']],
    ['10.0.0.127', '24', '10.0.0.1', []],
    ['10.0.0.0', '31', '10.0.0.1', []],
    ['10.0.0.1', '32', '10.9.9.9', []],
    ['10.0.0.5', '24', '', []],
    ['240.0.0.1', '8', '', ['ip_address']],
    ['::ffff:10.0.0.5', '96', '', ['ip_address']],
    ['2001:db8::', '64', 'fe80::1', ['ip_address']],
    ['2001:db8::5', '64', 'fe80::1', []],
    ['2001:db8::5', '64', '2001:db8:0:1::1', ['gateway']],
    ['2001:db8::5', '64', '2001:db8::', []],
    ['2001:db8::', '127', '2001:db8::1', []],
  ])('takes %s/%s with the router %j only where a machine can have them', (ip_address, netmask, gateway, fields) => {
    expect(errorsOf({ ...dhcp, ip_address, netmask, gateway }).map(({ field }) => field)).toEqual(fields)
  })
  it.each([
    ['interface', 'eth0.100', true],
    ['interface', 'br-lan', true],
    ['interface', 'enx001122334455', true],
    ['interface', 'enx0011223344556', false],
    ['interface', 'e', true],
    ['interface', '-x', false],
    ['interface', '..', false],
    ['interface', 'eth0:1', false],
    ['hostname', 'n'.repeat(63), true],
    ['hostname', `${'n'.repeat(40)}.${'n'.repeat(23)}`, true],
    ['hostname', `${'n'.repeat(40)}.${'n'.repeat(24)}`, false],
    ['hostname', 'n'.repeat(64), false],
    ['hostname', '123', false],
    ['dns1', '127.0.0.53', true],
    ['dns1', '::ffff:1.1.1.1', false],
  ])('decides about %s %s: %s', (name, value, good) => {
    expect(errorsOf({ ...dhcp, [name]: value }).length === 0).toBe(good)
  })
  it('writes name servers beside DHCP, and no router where there is none', () => {
    const beside = post({ ...dhcp, dns1: '10.0.0.53' }) as Settings
    expect(beside.networkConf).toContain('mode=dhcp\ninterface=eth0\ndns="10.0.0.53"\n')
    expect((post({ ...dhcp, dns1: '10.0.0.53' }, { app: {} }, 'original') as Settings).networkConf).not.toContain('dns')
    const alone = post({ ...dhcp, ip_address: '10.0.0.5', netmask: '24' }) as Settings
    expect([alone.mode, alone.networkConf]).toEqual(['static', expect.not.stringContaining('router')])
  })
  it('shows files that cannot be read as empty', () => {
    expect(JSON.parse(storedSettings('{', 'x', 'original'))).toEqual({ network: {}, app: {} })
    expect(JSON.parse(storedSettings('[]', 'null', 'strict'))).toEqual({ network: {}, app: {} })
  })
})

const text = fc.oneof(
  fc.constantFrom(
    'eth0',
    'test.host',
    '10.0.0.5',
    '10.0.0.1',
    '24',
    '/64',
    'fe80::1',
    '"; id; "',
    '$(id)',
    '`id`',
    'a\nb=c',
    '',
  ),
  fc.ipV4(),
  fc.ipV6(),
  fc.string({ unit: 'binary' }),
)
/** Mostly right, so that much is taken. */
const mostly = (...good: string[]) =>
  fc.oneof({ weight: 30, arbitrary: fc.constantFrom(...good) }, { weight: 1, arbitrary: text })
const members = fc.record(
  {
    interface: mostly('eth0'),
    hostname: mostly('test.host', 'abc'),
    ip_address: mostly('10.0.0.5'),
    netmask: mostly('255.0.0.0', '/8'),
    gateway: mostly('10.0.0.1'),
    dns1: mostly('9.9.9.9', '2620:fe::fe'),
    ntpserver: mostly('pool.ntp.org', '::1', '10.0.0.1'),
  },
  { requiredKeys: ['interface', 'hostname'] },
)
const wicked = fc.dictionary(fc.constantFrom('evil', 'a=b', '$(id)', '__proto__', 'mode'), text, { maxKeys: 1 })
const network = fc.tuple(members, fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: wicked }))
const anything = fc.record(
  {
    network: fc.oneof(
      { weight: 5, arbitrary: network.map(([good, bad]) => ({ ...good, ...bad })) },
      { weight: 1, arbitrary: fc.jsonValue() },
    ),
    app: fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue()),
  },
  { requiredKeys: [] },
)

describe('settings of any shape', () => {
  it.each(['strict', 'original'] as const)(
    'SEC-03 are refused in words of ours, or give files that hold what was sent (%s)',
    (mode) => {
      let taken = 0
      fc.assert(
        fc.property(anything, (document) => {
          const answer = attempt(JSON.stringify(document), mode)
          if (typeof answer === 'string') {
            expect(answer).toMatch(/^[\x20-\x7e]*$/)
            return
          }
          taken++
          const conf = Object.fromEntries(parseShellAssignments(answer.networkConf))
          const network = JSON.parse(answer.networkJson)
          expect(conf.mode).toBe(answer.mode)
          expect(conf.hostname).toBe(network.hostname)
          expect(
            Object.keys(conf).every((key) =>
              /^(mode|interface|ip|subnet|subnet_ipv6|router|dns|hostname|ntpserver)$/.test(key),
            ),
          ).toBe(true)
          expect(answer.networkConf.trimEnd().split('\n')).toHaveLength(Object.keys(conf).length)
          for (const file of [answer.appJson, answer.networkJson, answer.networkConf])
            expect(file.endsWith('\n')).toBe(true)
        }),
        { numRuns: runs(2000) },
      )
      expect(taken).toBeGreaterThan(50)
    },
  )
  it('give a file that a shell reads as it was meant', () => {
    const { networkConf } = post({ ...fixed6, dns1: '2001:db8::53', ntpserver: '2001:db8::123' }) as Settings
    const script = `${networkConf}printf '%s|' "$mode" "$interface" "$ip" "$subnet_ipv6" "$router" "$dns" "$hostname" "$ntpserver"`
    expect(spawnSync('dash', ['-c', script]).stdout.toString()).toBe(
      'static|eth0|2001:db8::5|/64|2001:db8::1|2001:db8::53|test.host|2001:db8::123|',
    )
  })
})
