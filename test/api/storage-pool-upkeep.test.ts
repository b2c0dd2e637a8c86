// The upkeep of a pool through the API: spares, trim, upgrade and properties, also on the real programs.
import { describe, expect, it } from 'vitest'
import { until } from './client.ts'
import { nameOf, poolTests } from './pool-changes.ts'
import { tool } from './storage-tools.ts'
import { holdWork } from './storage-work.ts'
import { startStorage } from './storage-world.ts'

const { world, ask, pool, layout, make, done } = poolTests(startStorage)

describe('a spare', () => {
  it('stands for a disk, says so, and is given back or kept', async () => {
    const [one, two, three, four] = world().disks(4) as [string, string, string, string]
    await make('mirror', one, two, 'spare', three)
    await done('offline', { device: nameOf(one) })
    await done('replace', { device: nameOf(one), disk: nameOf(three) })
    const used = await pool()
    expect(used.spares_in_use).toMatchObject([
      { spare: nameOf(three), replaces: nameOf(one), state: 'OFFLINE', group: 'mirror-0' },
    ])
    expect((await ask('replace', { device: nameOf(two), disk: three })).json.message).toBe('This spare is INUSE')
    await done('detach', { device: used.spares_in_use[0].spare_guid })
    expect((await pool()).spares_in_use).toEqual([])
    await done('replace', { device: nameOf(one), disk: three })
    await done('detach', { device: nameOf(one) })
    expect(await layout()).toEqual([['mirror-0', [nameOf(three), nameOf(two)]]])
    expect(four).toBeDefined()
  })
})

describe('the upkeep of a pool', () => {
  it('trims it, with the state of each disk', async () => {
    const [one, two] = world().disks(2) as [string, string]
    await make('mirror', one, two)
    expect((await world().ask('GET', '/pools/tank/trim')).json).toMatchObject({ status: 'none', progress: 0 })
    expect((await ask('trim', { action: 'suspend' })).status).toBe(409)
    holdWork(world())
    // At this rate a real disk takes longer than the test.
    const { json } = await ask('trim', { rate: '1M' })
    expect((await world().ask('GET', '/pools/tank/trim')).json).toMatchObject({ status: 'running', job: json.job })
    expect((await ask('trim', { action: 'suspend' })).json).toEqual({ message: 'trim suspended' })
    expect((await world().ask('GET', '/pools/tank/trim')).json.status).toBe('paused')
    expect((await ask('trim')).json).toEqual({ message: 'trim continued', job: json.job })
    expect((await ask('trim', { action: 'cancel' })).json).toEqual({ message: 'trim cancelled' })
    expect(await world().job(json.job)).toMatchObject({ status: 'cancelled' })
    // ZFS keeps no trace of it.
    expect((await world().ask('GET', '/pools/tank/trim')).json.status).toBe('none')
    holdWork(world(), false)
    // As where it was cancelled on the other one.
    tool(world(), 'zpool', 'trim', 'tank', one)
    const trims = async () => (await world().ask('GET', '/pools/tank/trim')).json
    await until('one disk is trimmed', async () => (await trims()).disks[0].status === 'finished')
    expect(await trims()).toMatchObject({ status: 'none', progress: 50, disks: [{}, { status: 'none' }] })
    await done('trim')
    expect((await world().ask('GET', '/pools/tank/trim')).json).toMatchObject({
      status: 'finished',
      progress: 100,
      disks: [
        { name: nameOf(one), status: 'finished' },
        { name: nameOf(two), status: 'finished' },
      ],
    })
  })

  it('upgrades it with the token of its plan', async () => {
    const [disk] = world().disks(1)
    const { status } = await world().ask('POST', '/pools', {
      json: { name: 'tank', vdevs: [disk], options: { compatibility: 'openzfs-2.1-linux' } },
    })
    expect(status).toBe(201)
    tool(world(), 'zpool', 'set', 'compatibility=off', 'tank')
    world().fakes?.change((model) => {
      model.pools['tank']!['disabled'] = ['raidz_expansion']
    })
    const plan = (await ask('upgrade', undefined, '?dry_run=true')).json
    expect(plan.does).toContain('Enables raidz_expansion')
    expect((await ask('upgrade', undefined)).status).toBe(409)
    await done('upgrade', undefined, `?confirm=${plan.confirm}`)
    const again = await ask('upgrade')
    expect([again.status, again.json.message]).toEqual([
      409,
      'All features that the installed ZFS has are enabled already',
    ])
  })

  it('sets its properties, and no others', async () => {
    await make(world().disks(1)[0]!)
    const patch = (options: unknown) => world().ask('PATCH', '/pools/tank', { json: { options } })
    const { status, json } = await patch({ autotrim: 'on', autoreplace: 'on', autoexpand: 'on' })
    expect([status, json.options]).toEqual([200, { autotrim: 'on', autoreplace: 'on', autoexpand: 'on' }])
    for (const [options, field] of [
      [{ ashift: '12' }, 'options.ashift'],
      [{ cachefile: '/etc/passwd' }, 'options.cachefile'],
      [{ autotrim: 'perhaps' }, 'options.autotrim'],
      [{ 'fs.quota': '1G' }, 'options.fs.quota'],
      [{}, 'options'],
    ] as const)
      expect([field, (await patch(options)).json]).toMatchObject([field, { code: 'VALIDATION_ERROR', details: field }])
  })
})
