// The queue that serves by network and by address, at its limit and one above it, and after a refusal.
import { expect, it } from 'vitest'
import { FairQueue, networkOf } from '../../src/auth/fair-queue.ts'

/** One letter is one caller's item. */
function filled(most: number, ...arrivals: [address: string, item: string][]) {
  const queue = new FairQueue<string>(most)
  const gone = arrivals.flatMap(([address, item]) => queue.add(address, item) ?? [])
  const served = () => {
    const all: string[] = []
    while (queue.size > 0 && all.length < 20) all.push(queue.next() ?? 'nobody')
    return all.join('')
  }
  return { queue, gone: gone.join(''), served }
}
const remembered = (queue: FairQueue<string>) => (queue as unknown as { networks: Map<string, unknown> }).networks.size

it.each([
  ['192.0.2.1', '192.0'],
  ['::ffff:192.0.2.1', '192.0'],
  ['2001:db8:1:2::7', '2001:db8:1'],
  ['2001:db8:1:3::7', '2001:db8:1'],
  ['::1', '::1'],
  ['local', 'local'],
  ['', ''],
])('the network of %j is %j', (address, network) => expect(networkOf(address)).toBe(network))

it('is served in turns: by network, in it by address, and each address in its order', () => {
  const { served } = filled(
    9,
    ...([
      ['10.1.0.1', 'a'],
      ['10.1.0.1', 'b'],
      ['10.1.0.2', 'c'],
      ['10.2.0.1', 'd'],
      ['10.2.0.1', 'e'],
    ] as [string, string][]),
  )
  expect(served()).toBe('adceb')
})

it('has nobody next when it is empty, and none less than none', () => {
  const { queue } = filled(2)
  expect([queue.next(), queue.size]).toEqual([undefined, 0])
  queue.add('10.1.0.1', 'a')
  expect([queue.next(), queue.next(), queue.size]).toEqual(['a', undefined, 0])
})

it('takes as many as it may, and one more costs the newest of whoever has most', () => {
  expect(filled(3, ['10.1.0.1', 'a'], ['10.1.0.2', 'b'], ['10.2.0.1', 'c']).gone).toBe('')
  const { queue, gone, served } = filled(3, ['10.1.0.1', 'a'], ['10.1.0.1', 'b'], ['10.1.0.2', 'c'], ['10.2.0.1', 'd'])
  expect([gone, queue.size, served()]).toEqual(['b', 3, 'adc'])
})

it('refuses whoever comes where nobody has more than he has then', () => {
  expect(filled(1, ['10.1.0.1', 'a'], ['10.1.0.1', 'b']).gone).toBe('b')
  // Two networks with one each: the one that comes to have two.
  expect(filled(2, ['10.1.0.1', 'a'], ['10.2.0.1', 'b'], ['10.2.0.2', 'c']).gone).toBe('c')
  // Two networks with two each: his own network, and in it himself, whichever came first.
  expect(filled(3, ['10.1.0.1', 'a'], ['10.1.0.2', 'b'], ['10.2.0.1', 'c'], ['10.2.0.2', 'd']).gone).toBe('d')
  expect(filled(3, ['10.2.0.2', 'c'], ['10.1.0.1', 'a'], ['10.1.0.2', 'b'], ['10.2.0.1', 'd']).gone).toBe('d')
  expect(filled(3, ['10.2.0.2', 'c'], ['10.2.0.1', 'a'], ['10.1.0.2', 'b'], ['10.2.0.2', 'd']).gone).toBe('d')
})

it('forgets an address, and a network, of which all had to go', () => {
  const { queue, gone, served } = filled(1, ['10.1.0.1', 'a'], ['10.2.0.1', 'b'])
  expect(gone).toBe('b')
  queue.add('10.1.0.2', 'c')
  expect([queue.size, remembered(queue), served()]).toEqual([1, 1, 'a'])
  expect([queue.next(), queue.size, remembered(queue)]).toEqual([undefined, 0, 0])
})
