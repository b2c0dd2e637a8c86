// What the console's forms make of the errors that the appliance names, and of how quickly an upload goes on.
import { describe, expect, it } from 'vitest'
import { duration, PaceMeter } from '../../src/page/kit/pace.ts'
import { placeErrors } from '../../src/page/kit/place-errors.ts'

const error = (field: string) => ({ field, message: `about ${field}` })

describe('an error and its field', () => {
  const places = [
    { id: 'a', names: 'name' },
    { id: 'b', names: 'options.quota' },
    { id: 'c', names: 'options' },
    { id: 'd', names: 'clients' },
    { id: 'e', names: 'hostname network.hostname' },
    { id: 'f', names: '' },
  ]
  const at = (field: string) => placeErrors([error(field)], places)

  it.each([
    ['name', 'a', ''],
    ['options.quota', 'b', ''],
    ['options.quotas', 'c', 'quotas'],
    ['options', 'c', ''],
    ['clients.2', 'd', '2'],
    ['hostname', 'e', ''],
    ['network.hostname', 'e', ''],
    ['f', 'f', ''],
  ])('%s is at %s', (field, id, rest) => {
    expect(at(field)).toEqual({ placed: { [id]: [{ rest, message: `about ${field}` }] }, left: [] })
  })

  it.each(['names', 'clients2', 'nam', 'quota', ''])('%j has none', (field) => {
    expect(at(field)).toEqual({ placed: {}, left: [error(field)] })
  })

  it('several of one field are kept, in their order', () => {
    const { placed } = placeErrors([error('clients.0'), error('name'), error('clients.7')], places)
    expect(placed['d']?.map(({ rest }) => rest)).toEqual(['0', '7'])
    expect(placed['a']).toHaveLength(1)
  })
})

describe('the pace of an upload', () => {
  it('is not told before there is something to measure', () => {
    const meter = new PaceMeter()
    expect(meter.add(0, 0, 1000)).toEqual({ speed: undefined, left: undefined })
    expect(meter.add(499, 500, 1000)).toEqual({ speed: undefined, left: undefined })
    expect(meter.add(500, 500, 1000)).toEqual({ speed: 1000, left: 0.5 })
  })

  it('is that of the last seconds, not of the whole', () => {
    const meter = new PaceMeter()
    for (let second = 0; second <= 60; second++) meter.add(second * 1000, second * 100, 100_000)
    let pace = meter.add(61_000, 6000, 100_000)
    for (let second = 62; second <= 80; second++) pace = meter.add(second * 1000, 6000, 100_000)
    expect(pace).toEqual({ speed: 0, left: undefined })
  })

  it.each([
    [0.2, '1 s'],
    [59, '59 s'],
    [60, '1 minute'],
    [150, '3 minutes'],
    [7200, '2 hours'],
    [100_000, '1 day'],
  ])('%d seconds are %s', (seconds, words) => {
    expect(duration(seconds)).toBe(words)
  })
})
