// Who gets a place, by the numbers. The trap: limits are tried at the limit and one above.
import { expect, it } from 'vitest'
import { Places, type PlacesOptions } from '../../src/http/places.ts'

const make = (options: Partial<PlacesOptions> = {}) =>
  new Places({ most: 100, perAddress: 10, isProxy: () => false, known: () => false, ...options })
const takeAll = (places: Places, address: (i: number) => string, count = 2000) =>
  Array.from({ length: count }, (_, i) => places.take(address(i))).filter(Boolean).length
const stranger = (i: number) => `203.0.113.${i % 256}`

it('one address takes as many as it may, and has them again once it left', () => {
  const places = make()
  expect(takeAll(places, () => '192.0.2.1')).toBe(10)
  expect(places.take('192.0.2.2')).toBe(true)
  places.leave('192.0.2.1')
  expect(takeAll(places, () => '192.0.2.1')).toBe(1)
})

it('IPv6 counts by its /64, and a mapped address as IPv4', () => {
  const places = make()
  expect(takeAll(places, (i) => `2001:db8::${i.toString(16)}`)).toBe(10)
  expect(places.take('2001:db8:0:1::1')).toBe(true)
  expect(takeAll(places, (i) => (i % 2 ? '192.0.2.1' : '::ffff:192.0.2.1'))).toBe(10)
})

it('strangers leave sixteen places to this machine and to those who have logged in', () => {
  const places = make({ known: (address) => address === '198.51.100.1' })
  expect(takeAll(places, stranger)).toBe(84)
  expect(places.take('127.0.0.2')).toBe(false)
  expect(takeAll(places, () => '127.0.0.1')).toBe(10)
  expect(places.take('::1')).toBe(true)
  expect(takeAll(places, () => '198.51.100.1')).toBe(5)
  expect(places.take('::1')).toBe(false)
  places.leave('::1')
  expect(takeAll(places, stranger)).toBe(0)
  expect(places.take('::1')).toBe(true)
})

it('a small number keeps a quarter', () => {
  expect(takeAll(make({ most: 8 }), stranger)).toBe(6)
  expect(takeAll(make({ most: 3 }), stranger)).toBe(3)
  expect(takeAll(make({ most: 64 }), stranger)).toBe(48)
  expect(takeAll(make({ most: 1024 }), stranger)).toBe(1008)
})

it('a proxy has as many as there are, but none of those that are kept, whoever logs in through it', () => {
  const places = make({ isProxy: (address) => address === '127.0.0.1', known: () => true })
  expect(takeAll(places, () => '127.0.0.1')).toBe(84)
  expect(takeAll(places, () => '::1')).toBe(10)
})
