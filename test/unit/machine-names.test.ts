// The names and addresses of this machine: what the system tells, line by line.
import { expect, it } from 'vitest'
import { type Machine, machineNames } from '../../src/http/server/machine-names.ts'

const one = (address: string) => ({ eth0: [{ address, internal: false }] })
const names = (host: string, more: Partial<Machine> = {}) =>
  machineNames(host, { hostname: 'nas1', hosts: '', interfaces: {}, inet6: '', ...more })
const LOOPBACK = ['127.0.0.1', '::1']

it('the host’s own name comes first, and localhost is always there, each once and in small letters', () => {
  expect(names('::').hosts).toEqual(['nas1', 'localhost'])
  expect(names('::', { hostname: 'NAS1' }).hosts).toEqual(['nas1', 'localhost'])
  expect(names('::', { hostname: 'localhost' }).hosts).toEqual(['localhost'])
  expect(names('nas1').hosts).toEqual(['nas1', 'localhost'])
  expect(names('box.example').hosts).toEqual(['nas1', 'box.example', 'localhost'])
  // A browser asks for a name with its final dot without it.
  expect(names('Box.Example.').hosts).toEqual(['nas1', 'box.example', 'localhost'])
  expect(names('::', { hostname: 'nas1.' }).hosts).toEqual(['nas1', 'localhost'])
  for (const host of ['0.0.0.0', '192.0.2.1', '2001:db8::1']) expect(names(host).hosts).toEqual(['nas1', 'localhost'])
})

it.each([
  ['a', true],
  ['_a-1.b_', true],
  ['a'.repeat(253), true],
  ['a'.repeat(254), false],
  ['-a', false],
  ['.', false],
  ['a..', false],
  ['', false],
  ['a b', false],
  ['nás', false],
  ['*.example', false],
])('a name that a certificate can hold: %s', (hostname, good) => {
  expect(names('::', { hostname }).hosts).toEqual(good ? [hostname, 'localhost'] : ['localhost'])
})

it('names with a domain are those that /etc/hosts gives this host, and no one else’s', () => {
  const hosts = [
    '127.0.0.1 localhost nas1.local # nas1',
    '10.0.0.5\tnas1.example.com   nas1 nas1.lan other.lan',
    '# 10.0.0.5 nas1.commented nas1',
    '10.0.0.6 nas10 nas10.example.com',
    '10.0.0.7 nas1',
    'nas1 nas1.is.the.address',
    '',
  ].join('\n')
  expect(names('::', { hosts }).hosts).toEqual(['nas1', 'nas1.example.com', 'nas1.lan', 'localhost'])
})

it('the addresses are those of the loopback, and what the port listens on', () => {
  expect(names('192.0.2.7', { interfaces: one('10.0.0.5') }).addresses).toEqual([...LOOPBACK, '192.0.2.7'])
  expect(names('127.0.0.1').addresses).toEqual(LOOPBACK)
  expect(names('2001:DB8:0::7').addresses).toEqual([...LOOPBACK, '2001:db8::7'])
  expect(names('box.example', { interfaces: one('10.0.0.5') }).addresses).toEqual(LOOPBACK)
  for (const linkLocal of ['fe80::1', 'febf::1', '169.254.1.1']) expect(names(linkLocal).addresses).toEqual(LOOPBACK)
  expect(names('::192.0.2.7').addresses).toEqual(LOOPBACK)
})

it('everywhere is all interfaces: those of IPv4, and with :: those of IPv6 as well, in one order', () => {
  const interfaces = {
    eth1: [{ address: '2001:db8::9', internal: false }],
    eth0: [
      { address: '192.0.2.9', internal: false },
      { address: '10.0.0.5', internal: false },
      { address: 'fe80::1', internal: false },
      { address: '169.254.9.9', internal: false },
      { address: '::10.0.0.5', internal: false },
      { address: '10.0.0.5', internal: false },
    ],
    gone: undefined,
  }
  expect(names('0.0.0.0', { interfaces }).addresses).toEqual([...LOOPBACK, '10.0.0.5', '192.0.2.9'])
  expect(names('::', { interfaces }).addresses).toEqual([...LOOPBACK, '10.0.0.5', '192.0.2.9', '2001:db8::9'])
})

it('there are sixty-four of them at most', () => {
  const interfaces = { eth0: Array.from({ length: 100 }, (_, i) => ({ address: `10.0.0.${i}`, internal: false })) }
  expect(names('::', { interfaces }).addresses).toHaveLength(64)
})

it.each([
  ['2001:db8::5', '20010db8000000000000000000000005'],
  ['2001:db8:1:2:3:4:5:6', '20010db8000100020003000400050006'],
  ['::5', '00000000000000000000000000000005'],
  ['2001:db8::', '20010db8000000000000000000000000'],
  ['2001:db8:0:1::5', '20010db8000000010000000000000005'],
])('%s is left out where the kernel says that it passes', (address, digits) => {
  const has = (flags: string) => {
    const inet6 = `00000000000000000000000000000001 01 80 10 80       lo\n${digits} 02 40 00 ${flags}     eth0\n`
    return names('::', { interfaces: one(address), inet6 }).addresses.includes(address)
  }
  // Temporary, tentative, both, and neither.
  expect(['01', '40', 'c1', '80', '00', '20'].map(has)).toEqual([false, false, false, true, true, true])
})

it('a line of the kernel’s list without flags is none', () => {
  const inet6 = '20010db8000000000000000000000005\n\n'
  expect(names('::', { interfaces: one('2001:db8::5'), inet6 }).addresses).toContain('2001:db8::5')
})
