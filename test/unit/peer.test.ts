// Who calls, behind proxies that are trusted and behind those that are not. Whoever sends a header writes its
// beginning; only its end is the proxies' own.
import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { callerOf } from '../../src/http/server/peer.ts'
import { inNetworks, objectionToNetwork, plainAddress } from '../../src/networks.ts'

const PROXIES = ['10.0.0.1', '192.168.0.0/16', 'fd00::/8', '::1']
const from = (remoteAddress: string | undefined, headers: Record<string, string>, trusted = PROXIES) =>
  callerOf(trusted)({ socket: { remoteAddress }, headers } as unknown as IncomingMessage)
const list = (header: string) => from('10.0.0.1', { 'x-forwarded-for': header })
const element = (header: string) => from('10.0.0.1', { forwarded: header })

describe('the caller of a request', () => {
  it('is the other end of the connection, spelled plainly, where no header says more', () => {
    expect(from('192.0.2.7', {})).toBe('192.0.2.7')
    expect(from('::ffff:192.0.2.7', {})).toBe('192.0.2.7')
    expect(from('fe80::1%eth0', {})).toBe('fe80::1')
    expect(from('10.0.0.1', {})).toBe('10.0.0.1')
    expect(callerOf(PROXIES)(undefined)).toBe('local')
  })

  it('is the other end, whatever the headers say, unless that is a trusted proxy', () => {
    const headers = { 'x-forwarded-for': '203.0.113.5', forwarded: 'for=203.0.113.5' }
    expect(from('192.0.2.7', headers)).toBe('192.0.2.7')
    expect(from('10.0.0.2', headers)).toBe('10.0.0.2')
    expect(from('::2', headers)).toBe('::2')
    expect(from('10.0.0.1', headers, [])).toBe('10.0.0.1')
    expect(from(undefined, headers)).toBe('local')
    expect(from('::ffff:10.0.0.1', headers)).toBe('203.0.113.5')
  })

  it.each([
    ['one address', '203.0.113.5', '203.0.113.5'],
    ['what the caller put before it', '8.8.8.8, 1.1.1.1,203.0.113.5', '203.0.113.5'],
    ['a trusted address that the caller put before it', '10.0.0.1, 203.0.113.5', '203.0.113.5'],
    ['a chain of our own proxies', '8.8.8.8, 203.0.113.5, 192.168.7.7 , fd12::1', '203.0.113.5'],
    ['nobody but our own proxies', '192.168.1.1, 192.168.1.2', '192.168.1.1'],
    ['an IPv6 address', '2001:DB8:0::5', '2001:db8::5'],
    ['an IPv6 address with a port', '[2001:db8::5]:4711', '2001:db8::5'],
    ['an IPv6 address in brackets', '[2001:db8::5]', '2001:db8::5'],
    ['an IPv6 address with a zone', 'fe80::5%eth1', 'fe80::5'],
    ['an IPv4 address with a port', '203.0.113.5:4711', '203.0.113.5'],
    ['a mapped address', '::ffff:203.0.113.5', '203.0.113.5'],
    ['a mapped address in hexadecimal digits', '::FFFF:cb00:7105', '203.0.113.5'],
    ['a mapped address of a proxy', '203.0.113.5, ::ffff:192.168.3.3', '203.0.113.5'],
  ])('is read from the end of the list: %s', (_what, header, caller) => {
    expect(list(header)).toBe(caller)
  })

  it.each([
    ['nothing', ''],
    ['a word', 'unknown'],
    ['a name', 'client.example.com'],
    ['no address', '203.0.113.256'],
    ['an address cut short', '203.0.113'],
    ['zeros before a digit', '203.0.113.05'],
    ['a number', '3405803781'],
    ['a line of a log', '203.0.113.5" 200 "-'],
    ['an address before something that is none', '203.0.113.5, unknown'],
    ['an address before nothing', '203.0.113.5, '],
    ['an address and a blank', '203.0.113.5 203.0.113.6'],
    ['a bracket that stays open', '[2001:db8::5'],
    ['a path', '../../etc/passwd'],
    ['a socket', 'unix:'],
  ])('is the proxy where the list ends in %s', (_what, header) => {
    expect(list(header)).toBe('10.0.0.1')
  })

  it('is the nearest hop that is understood, never what stands before one that is not', () => {
    expect(list('203.0.113.5, unknown, 192.168.7.7')).toBe('192.168.7.7')
    expect(list('203.0.113.5, , 198.51.100.1')).toBe('198.51.100.1')
  })

  it.each([
    ['for=203.0.113.5', '203.0.113.5'],
    ['For="[2001:db8:cafe::17]:4711"', '2001:db8:cafe::17'],
    ['for="203.0.113.5:_port";proto=https;by=10.0.0.1', '203.0.113.5'],
    ['proto=http; for=8.8.8.8, for=203.0.113.5;host="a,b;for=9.9.9.9", for=192.168.1.1', '203.0.113.5'],
    ['host="a\\",for=9.9.9.9;b=\\"";for=203.0.113.5', '203.0.113.5'],
    ['for=8.8.8.8, for=_hidden', '10.0.0.1'],
    ['for=8.8.8.8, for="', '10.0.0.1'],
    ['for=8.8.8.8, proto=https', '10.0.0.1'],
    ['for=8.8.8.8, for=9.9.9.9;for=7.7.7.7', '10.0.0.1'],
    ['8.8.8.8', '10.0.0.1'],
  ])('is read from Forwarded where there is no X-Forwarded-For: %s', (header, caller) => {
    expect(element(header)).toBe(caller)
    expect(from('10.0.0.1', { forwarded: header, 'x-forwarded-for': '198.51.100.9' })).toBe('198.51.100.9')
  })

  it('is read from the header that the proxies write, where it is told, and never from the other', () => {
    const both = { 'x-forwarded-for': '198.51.100.9', forwarded: 'for=203.0.113.5' }
    const caller = (only: 'forwarded' | 'x-forwarded-for', headers: object) =>
      callerOf(PROXIES, only)({ socket: { remoteAddress: '10.0.0.1' }, headers } as unknown as IncomingMessage)
    expect(caller('forwarded', both)).toBe('203.0.113.5')
    expect(caller('x-forwarded-for', both)).toBe('198.51.100.9')
    expect(caller('forwarded', { 'x-forwarded-for': '198.51.100.9' })).toBe('10.0.0.1')
    expect(caller('x-forwarded-for', { forwarded: 'for=203.0.113.5' })).toBe('10.0.0.1')
  })

  it('is found in one pass, however many quotes are never closed', () => {
    const began = performance.now()
    expect(element('"\\'.repeat(8000))).toBe('10.0.0.1')
    expect(performance.now() - began).toBeLessThan(1000)
  })
})

describe('a network', () => {
  it.each(['192.0.2.1', '10.0.0.0/8', '0.0.0.0/0', '192.0.2.1/32', '::', '::1', 'fd00::/8', '2001:db8::/32', '::/0'])(
    'may be %s',
    (text) => expect(objectionToNetwork(text)).toBeUndefined(),
  )

  it.each(['', '*', 'localhost', '10.0.0', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/255.0.0.0', '::/129'])(
    'is not %s',
    (text) => expect(objectionToNetwork(text)).toMatch(/^expected an address or a network/),
  )

  it.each(['fe80::1%eth0', '[::1]', ' 10.0.0.1', '10.0.0.1:80', '::ffff:10.0.0.0/90', '10.0.0.0/-1', '010.0.0.0/8'])(
    'is not %s either',
    (text) => expect(objectionToNetwork(text)).toMatch(/^expected an address or a network/),
  )

  it.each(['192.168.1.10/24', '11.0.0.0/7', '2001:db8::1/64', '::ffff:10.0.0.1/104', '::1.2.3.5/126'])(
    'is not %s, which has bits beyond its length',
    (text) => expect(objectionToNetwork(text)).toMatch(/ has bits beyond \/\d+: expected/),
  )

  it('holds the addresses of its own family, however it was written', () => {
    const inside = inNetworks(['::ffff:10.0.0.0/104', '2001:DB8::/32', '192.0.2.1'])
    expect(['10.255.0.1', '2001:db8:9::1', '192.0.2.1'].map(inside)).toEqual([true, true, true])
    expect(['11.0.0.1', '2001:db9::1', '192.0.2.2', '::', 'local', ''].map(inside)).toEqual(Array(6).fill(false))
    expect(inNetworks(['0.0.0.0/0'])('::1')).toBe(false)
    expect(inNetworks([])('10.0.0.1')).toBe(false)
  })

  it('is spelled in one way', () => {
    expect(
      ['2001:DB8:0:0:0::1', '0:0:0:0:0:ffff:c000:201', '::', '192.0.2.1', 'x', '::1.2.3.4'].map(plainAddress),
    ).toEqual([...['2001:db8::1', '192.0.2.1', '::', '192.0.2.1', undefined, '::1.2.3.4']])
  })
})
