// A disk that is pulled out of the packaged product's pool is replaced by the API alone: by a free one, by a new one in
// the same slot, and through a power cut.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../api/client.ts'
import { filling, holding, inPart } from '../api/storage-work.ts'
import { Guest } from './guest.ts'
import { Operator } from './operator.ts'
import { serves } from './product.ts'
import { pathOfDisk } from './qemu.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests say themselves what they expect in it
type Json = any
const MODULE = '/etc/modprobe.d/held.conf'
let guest: Guest
let operator: Operator
let sum: string

beforeAll(async () => {
  const disks = ['removable1', 'removable2', 'disk1', 'disk2']
  guest = await Guest.boot({ disks, diskSize: 2 ** 29 })
  operator = await Operator.install(guest)
  await operator.done('POST', '/pools', { name: 'tank', vdevs: ['mirror', ...disks.slice(0, 2).map(pathOfDisk)] })
  await guest.run(filling('tank', 32))
  sum = await guest.run('sha256sum </tank/data')
})
afterAll(async () => {
  await guest?.end()
})

const pool = (): Promise<Json> => operator.done('GET', '/pools/tank')
const job = async (id: string): Promise<Json> => (await operator.ask('GET', `/jobs/${id}`)).json
const shape = ({ vdevs: [{ children }] }: Json) => children.map(({ name, state }: Json) => [name, state])
const named = (disk: string) => pathOfDisk(disk).slice('/dev/disk/by-id/'.length)

/** Pulls it; what the pool says of it once it has noticed. */
async function pulled(disk: string): Promise<Json> {
  const path = pathOfDisk(disk)
  await guest.pull(disk)
  return until(
    'the pool is degraded',
    async () => {
      await guest.run('date >/tank/written; zpool sync tank')
      const { status, vdevs } = await pool()
      return status === 'DEGRADED' && vdevs[0].children.find((one: Json) => one.path === path)
    },
    120,
  )
}

/** The pool is whole again, of these disks and with its data, read from them. */
async function isWhole(id: string, ...disks: string[]): Promise<void> {
  expect(await operator.ended(id)).toMatchObject({
    status: 'completed',
    progress: 100,
    message: expect.stringMatching(/^resilvered .* with 0 errors/),
  })
  const now = await pool()
  expect([now.status, shape(now)]).toEqual(['ONLINE', disks.map((disk) => [named(disk), 'ONLINE'])])
  expect(now.scan).toMatchObject({ kind: 'resilver', status: 'finished', errors: 0 })
  expect(await guest.run('echo 3 >/proc/sys/vm/drop_caches; sha256sum </tank/data')).toBe(sum)
}

it('a pulled disk is replaced by a free one, and the job has the progress of zpool', async () => {
  const gone = await pulled('removable2')
  const { problem, action } = await pool()
  expect([gone.state, problem, action]).toEqual([
    expect.not.stringMatching('ONLINE'),
    expect.any(String),
    expect.any(String),
  ])
  await guest.run(holding(true))
  const { job: id } = await operator.done('POST', '/pools/tank/replace', { device: gone.guid, disk: named('disk1') })
  expect(await job(id)).toMatchObject({ type: 'pool.replace', status: 'running', progress: 0 })
  expect((await pool()).scan).toMatchObject({ kind: 'resilver', status: 'running', progress: 0 })
  await guest.run(inPart('tank', pathOfDisk('disk1')))
  // What is queued is still written while the scan is held, so both are asked until they agree.
  const told = "zpool status tank | sed -n 's/.* \\([0-9]*\\)[.][0-9]*% done.*/\\1/p'"
  const progress = await until('the job says how far it is', async () => {
    const percent = Number(await guest.run(told))
    return percent > 0 && (await job(id)).progress === percent && percent
  })
  expect((await job(id)).message).toMatch(new RegExp(`^resilvering: .*, ${progress}\\.[0-9]+% done`))
  await guest.run(holding(false))
  await isWhole(id, 'removable1', 'disk1')
})

it('a pulled disk is replaced by a new one in the same slot, without its name', async () => {
  const gone = await pulled('removable1')
  const none = await operator.ask('POST', '/pools/tank/replace', { device: gone.guid })
  expect([none.status, none.json.message]).toEqual([400, 'There is no such disk'])
  await guest.insert('removable3')
  const { job: id } = await operator.done('POST', '/pools/tank/replace', { device: gone.guid })
  await isWhole(id, 'removable3', 'disk1')
})

it('a replacement goes on after a power cut, and its job with it', async () => {
  await guest.run(holding(true))
  const [, { guid: device }] = (await pool()).vdevs[0].children
  const { job: id } = await operator.done('POST', '/pools/tank/replace', { device, disk: pathOfDisk('disk2') })
  expect(shape(await pool())).toContainEqual(['replacing-1', 'ONLINE'])
  // So that there is something to see after the boot.
  await guest.run(`echo options zfs zfs_scan_suspend_progress=1 >${MODULE}; sync`)
  await guest.cut()
  await guest.start()
  await serves(guest)
  expect((await pool()).scan).toMatchObject({ kind: 'resilver', status: 'running' })
  await until('the job goes on', async () => (await job(id)).status !== 'pending')
  expect(await job(id)).toMatchObject({ status: 'running' })
  await guest.run(`rm ${MODULE}; ${holding(false)}`)
  await isWhole(id, 'removable3', 'disk2')
  expect(await guest.exec('edge-admin audit verify')).toMatchObject({ status: 0 })
})
