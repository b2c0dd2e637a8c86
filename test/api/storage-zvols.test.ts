// Volumes through the API. ZFS rounds a new size up to whole blocks, but refuses a later one that does not fit.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { clearPool, everything, makePool, tool } from './storage-tools.ts'
import { startStorage, type World } from './storage-world.ts'

let world: World
beforeAll(async () => {
  world = await startStorage()
  makePool(world)
})
afterAll(() => world?.close())
beforeEach(() => {
  clearPool(world)
})

const MB = 1024 ** 2
const post = (json: unknown) => world.ask('POST', '/zvols', { json })
const put = (name: string, json: unknown) => world.ask('PUT', `/zvols/${name}`, { json })

async function refused(work: () => Promise<{ status: number; json: unknown }>) {
  const before = everything(world)
  const { status, json } = await work()
  expect(everything(world)).toBe(before)
  return [status, json]
}

describe('a volume', () => {
  it('is made with its space reserved, and shown as the contract has it', async () => {
    const { status, json, headers } = await post({ name: 'tank/v', size: '16M', options: { compression: 'lz4' } })
    expect([status, json]).toEqual([
      201,
      {
        name: 'tank/v',
        pool: 'tank',
        size: 16 * MB,
        used: expect.any(Number),
        created_at: expect.stringMatching(/^\d{4}-.*Z$/),
        referenced: expect.any(Number),
        options: { compression: 'lz4', refreservation: expect.any(String) },
      },
    ])
    expect(json.used).toBeGreaterThanOrEqual(16 * MB)
    expect(headers.location).toBe('/api/v1/zvols/tank/v')
    expect((await world.ask('GET', '/zvols/tank%2Fv', { as: 'viewer' })).json.size).toBe(16 * MB)
  })

  it('reserves nothing when that is asked for', async () => {
    const { status, json } = await post({ name: 'tank/thin', size: '100T', options: { refreservation: 'none' } })
    expect([status, json.size]).toEqual([201, 100 * 1024 ** 4])
    expect(json.used).toBeLessThan(MB)
  })

  it('takes bytes as a number or as text, and is rounded up to whole blocks', async () => {
    expect((await post({ name: 'tank/a', size: 16 * MB })).json.size).toBe(16 * MB)
    expect((await post({ name: 'tank/b', size: '10000', options: { volblocksize: '8K' } })).json.size).toBe(16384)
  })

  it('is in a list without filesystems, filtered by pool', async () => {
    tool(world, 'zfs', 'create', 'tank/fs')
    await post({ name: 'tank/v', size: '16M' })
    for (const query of ['', '?pool=tank']) {
      const { status, json } = await world.ask('GET', `/zvols${query}`, { as: 'viewer' })
      expect([status, json]).toEqual([
        200,
        [
          {
            name: 'tank/v',
            pool: 'tank',
            size: 16 * MB,
            used: expect.any(Number),
            created_at: expect.any(String),
          },
        ],
      ])
    }
    expect((await world.ask('GET', '/zvols?pool=nopool')).status).toBe(404)
    expect((await world.ask('GET', '/zvols/tank/fs')).json).toEqual({
      code: 'NOT_FOUND',
      message: 'zvol not found',
      details: 'tank/fs',
    })
  })

  it('grows, and never shrinks', async () => {
    await post({ name: 'tank/v', size: '16M' })
    expect((await put('tank/v', { size: '32M' })).json.size).toBe(32 * MB)
    expect(await refused(() => put('tank/v', { size: '16M' }))).toEqual([
      409,
      {
        code: 'CONFLICT',
        message: `A volume can only grow; this one has ${32 * MB} bytes`,
        details: 'size',
        errors: [expect.objectContaining({ field: 'size' })],
      },
    ])
    // Up to whole blocks, as when it is made; and what it has is what was asked for, so asking again changes nothing.
    for (const size of [32 * MB + 1, 32 * MB + 16_384, '32784K', 32 * MB + 1])
      expect((await put('tank/v', { size })).json.size).toBe(32 * MB + 16_384)
    expect((await put('tank/v', { size: '33mi' })).json.size).toBe(33 * MB)
    expect((await put('tank%2Fv', { options: { readonly: 'on' } })).json.options.readonly).toBe('on')
  })

  it('is destroyed, with its snapshots when that was agreed to', async () => {
    await post({ name: 'tank/v', size: '16M' })
    tool(world, 'zfs', 'snapshot', 'tank/v@one')
    const path = '/zvols/tank/v'
    expect((await world.ask('DELETE', `${path}?dry_run=true`)).json.destroys).toEqual(['tank/v', 'tank/v@one'])
    expect(await refused(() => world.ask('DELETE', path))).toMatchObject([409, { details: 'tank/v' }])
    expect((await world.ask('DELETE', `${path}?recursive=true`)).json).toEqual({ message: 'zvol deleted' })
    expect((await world.ask('GET', path)).status).toBe(404)
  })

  it('is destroyed under this path only when it is one', async () => {
    tool(world, 'zfs', 'create', 'tank/fs')
    expect(await refused(() => world.ask('DELETE', '/zvols/tank/fs'))).toMatchObject([404, { code: 'NOT_FOUND' }])
    expect((await world.ask('DELETE', '/datasets/tank/fs')).status).toBe(200)
  })
})

describe('a volume is refused', () => {
  it('with a size that is none', async () => {
    for (const size of [
      '10Q',
      '-1',
      '1e30',
      '0',
      '',
      '9223372036854775808',
      '1G\n',
      ' 1G',
      -1,
      0,
      1.5,
      2 ** 63,
      null,
    ]) {
      const { status, json } = await post({ name: 'tank/v', size })
      expect([size, status, json]).toMatchObject([size, 400, { code: 'VALIDATION_ERROR', details: 'size' }])
    }
  })

  it('when there is no room, no parent, or one of its name', async () => {
    expect(await refused(() => post({ name: 'tank/v', size: '100T' }))).toMatchObject([
      409,
      { code: 'CONFLICT', message: "cannot create 'tank/v': out of space", details: 'tank/v' },
    ])
    expect(await refused(() => post({ name: 'tank/no/v', size: '16M' }))).toMatchObject([
      404,
      { code: 'NOT_FOUND', message: "cannot create 'tank/no/v': parent does not exist" },
    ])
    await post({ name: 'tank/v', size: '16M' })
    expect(await refused(() => post({ name: 'tank/v', size: '16M' }))).toMatchObject([
      409,
      { message: "cannot create 'tank/v': dataset already exists" },
    ])
  })

  it('with what only filesystems have', async () => {
    for (const [key, value] of [
      ['quota', '1G'],
      ['mountpoint', '/mnt/x'],
      ['recordsize', '4K'],
      ['volsize', '32M'],
    ] as const) {
      const { status, json } = await post({ name: 'tank/v', size: '16M', options: { [key]: value } })
      expect([status, json]).toMatchObject([400, { code: 'VALIDATION_ERROR', details: `options.${key}` }])
    }
    await post({ name: 'tank/v', size: '16M' })
    expect((await put('tank/v', { options: { volblocksize: '4K' } })).json.details).toBe('options.volblocksize')
  })
})
