// Who gets a place, by the numbers. Limits are tried at the limit and one above.
import { expect, it } from 'vitest'
import { Places, type PlacesOptions } from '../../src/http/server/places.ts'

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

it('an address that has all it may wants one of its own, however many places there are', () => {
  const places = make()
  takeAll(places, () => '192.0.2.1')
  const wanted = places.wanted('::ffff:192.0.2.1')
  expect(wanted?.count).toBe(1)
  expect(wanted?.from.map((mayGo) => ['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.2'].map(mayGo))).toEqual([
    [true, true, false],
  ])
})

it('what leaves is counted once, and an address without a connection is forgotten', () => {
  const places = make({ most: 4, known: () => true })
  for (const address of ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2']) places.take(address)
  expect(places.take('192.0.2.3')).toBe(false)
  for (const left of [2, 1, 0]) {
    places.leave('192.0.2.1')
    expect(places.holds('192.0.2.1')).toBe(left)
  }
  expect((places as unknown as { taken: Map<string, number> }).taken.size).toBe(1)
  expect(takeAll(places, () => '192.0.2.3')).toBe(3)
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

it('a proxy has as many as there are, but only half of those that are kept, whoever logs in through it', () => {
  const places = make({ isProxy: (address) => address === '10.0.0.1', known: () => true })
  expect(takeAll(places, () => '10.0.0.1')).toBe(92)
  expect(takeAll(places, () => '::1')).toBe(8)
})

it('strangers, however many, leave some to a proxy', () => {
  const places = make({ isProxy: (address) => address === '10.0.0.1' })
  expect(takeAll(places, stranger)).toBe(84)
  expect(takeAll(places, () => '10.0.0.1')).toBe(8)
  expect(takeAll(places, () => '127.0.0.1')).toBe(8)
})

it('a stranger wants the places of strangers only', () => {
  const places = make({ isProxy: (address) => address === '10.0.0.1', known: (address) => address === '198.51.100.1' })
  takeAll(places, stranger)
  takeAll(places, () => '127.0.0.1', 3)
  const wantedBy = (address: string) =>
    places
      .wanted(address)
      ?.from.map((mayGo) => ['203.0.113.9', '10.0.0.1', '127.0.0.1', '198.51.100.1', '::1'].filter(mayGo))
  expect(wantedBy('203.0.113.1')).toEqual([['203.0.113.9']])
  // Those three are above what strangers may have.
  expect(places.wanted('203.0.113.1')?.count).toBe(4)
  takeAll(places, () => '::1')
  takeAll(places, () => '198.51.100.1')
  expect(wantedBy('10.0.0.1')).toEqual([['203.0.113.9']])
  expect(wantedBy('198.51.100.7')).toEqual([['203.0.113.9']])
  expect(wantedBy('127.0.0.1')?.[0]).toEqual(['203.0.113.9'])
})
