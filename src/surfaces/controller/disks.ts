// Disks: list, show, test, find by the LED of the slot, wipe. A disk is named by its id and looked up in the list; a
// request never names a path.
import * as z from 'zod'
import { isAgreed } from '../../features/destruction/agreement.ts'
import { Destruction, Plan } from '../../features/destruction/plan.ts'
import { type Disk, findDisk, getDisk, listDisks } from '../../features/disks/disks.ts'
import { locate } from '../../features/disks/locate.ts'
import { startTest } from '../../features/disks/self-test.ts'
import { planWipe, startWipe } from '../../features/disks/wipe.ts'
import { json, type Reply } from '../../http/reply/reply.ts'
import { type ControllerDeps, define, PREFIX } from './context.ts'
import { DiskDetails, DiskView, viewDetails, viewDisk } from './disk-view.ts'
import { finish } from './finish.ts'
import { Job } from './job-view.ts'
import { Message } from './shapes.ts'

const COLLECTION = `${PREFIX}/disks`
const ONE = `${COLLECTION}/{id}`
const tag = 'Disks'
const params = z.strictObject({ id: z.string().min(1).max(255) })
const target = (id: string) => `disks/${id}`

async function read({ disks }: ControllerDeps, disk: Disk): Promise<z.infer<typeof DiskDetails>> {
  await disks.health.refresh([disk])
  return viewDetails(disk, disks.health.of(disk), await disks.leds.isOn(disk.slotFolder))
}

/** Of its health only what somebody has to act on: hours and temperature change all the time. */
function versionOf({ health, ...disk }: z.infer<typeof DiskDetails>) {
  const { state, problems, hot, passed, test_running } = health
  return { ...disk, health: [state, problems, hot, passed, test_running] }
}

async function answer(deps: ControllerDeps, id: string): Promise<Reply> {
  const disk = await read(deps, await getDisk(deps.disks, id))
  return { ...json(disk), version: versionOf(disk) }
}

const resource = {
  key: ({ id }: z.infer<typeof params>) => target(id),
  version: async ({ params: { id } }: { params: z.infer<typeof params> }, deps: ControllerDeps) => {
    const disk = await findDisk(deps.disks, id)
    return disk && versionOf(await read(deps, disk))
  },
}

const list = define({
  method: 'GET',
  path: COLLECTION,
  id: 'listDisks',
  tag,
  summary: 'List the disks, with what uses each and how it is',
  description: 'A disk that sleeps is not woken. What the disks say about their health is up to five minutes old.',
  permission: 'viewer',
  response: z.array(DiskView),
  errors: [502, 503],
  async handle(_call, { disks }) {
    const found = (await listDisks(disks)).disks
    await disks.health.refreshAll(found)
    return json(found.map((disk) => viewDisk(disk, disks.health.of(disk))))
  },
})

const get = define({
  method: 'GET',
  path: ONE,
  id: 'getDisk',
  tag,
  summary: 'Show one disk, with its self-tests',
  permission: 'viewer',
  params,
  resource: { key: resource.key },
  response: DiskDetails,
  errors: [404, 502, 503],
  handle: ({ params: { id } }, deps) => answer(deps, id),
})

const test = define({
  method: 'POST',
  path: `${ONE}/test`,
  id: 'testDisk',
  action: 'disks.test',
  tag,
  summary: 'Start a self-test; the disk does it by itself and can be used meanwhile',
  permission: 'operator',
  params,
  resource,
  body: z.strictObject({ type: z.enum(['short', 'long']) }),
  response: DiskDetails,
  errors: [404, 409, 502, 503],
  async handle({ params: { id }, body, audit }, deps) {
    await startTest(deps.disks, await getDisk(deps.disks, id), body.type)
    audit('disks.test', target(id))
    return answer(deps, id)
  },
})

const light = define({
  method: 'POST',
  path: `${ONE}/locate`,
  id: 'locateDisk',
  action: 'disks.locate',
  tag,
  summary: 'Switch the LED of the disk’s slot on or off; 501 if the slot has no LED that can be controlled',
  permission: 'operator',
  params,
  resource,
  body: z.strictObject({ on: z.boolean() }),
  response: Message,
  errors: [404, 501, 502, 503],
  async handle({ params: { id }, body, audit }, { disks }) {
    await locate(disks, await getDisk(disks, id), body.on)
    audit('disks.locate', target(id))
    return json({ message: body.on ? 'the LED is on' : 'the LED is off' })
  },
})

const wipe = define({
  method: 'POST',
  path: `${ONE}/wipe`,
  id: 'wipeDisk',
  action: 'disks.wipe',
  tag,
  summary: 'Remove all labels and the partition table from a disk that nothing uses',
  description: 'dry_run=true answers the plan; its confirm token is always needed. Data is not overwritten.',
  permission: 'operator',
  params,
  resource,
  query: Destruction,
  response: z.union([Message, Plan]),
  accepted: Job,
  errors: [404, 409, 502, 503],
  async handle(call, { disks, tasks, settings }) {
    const { id } = call.params
    const planned = await planWipe(disks, id)
    const { disk: _disk, ...plan } = planned
    if (!isAgreed(plan, { ...call.query, recursive: 'true' }, true)) {
      call.audit('disks.wipe.plan', target(id))
      return json(plan)
    }
    const task = await startWipe(disks, planned, call.by)
    const done = () => json({ message: 'disk wiped' })
    const seconds = settings['apply-seconds']
    return finish(call, { tasks, task, action: 'disks.wipe', object: id, target: target(id), seconds, done })
  },
})

export const disksEndpoints = [list, get, test, light, wipe]
