// What a dataset would take with it, what stands in the way, and the task that destroys it. The trap: `zfs destroy -r` stops at what it
// cannot destroy when the rest is gone already, so everything that can be known is checked before it starts.
import { isClaimed } from '../../drivers/block-device.ts'
import type { Member, Zfs } from '../../drivers/zfs.ts'
import { locked, raise } from '../../errors.ts'
import type { Task } from '../../tasks/task.ts'
import type { StartOptions, Tasks } from '../../tasks/tasks.ts'
import { type Dependents, dependentsOf } from '../destruction/dependents.ts'
import { MEMBERS, makePlan, type Plan } from '../destruction/plan.ts'
import { withZfsErrors } from '../zfs/failure.ts'
import { datasetLock } from '../zfs/lock.ts'
import { deviceOf } from '../zfs/names.ts'
import { noDataset } from './errors.ts'

/** Holds, and clones that would not go as well. */
export async function dependingOn(zfs: Zfs, members: readonly Member[]): Promise<Plan['depends']> {
  const going = new Set(members.map(({ name }) => name))
  const held = members.filter(({ holds }) => holds > 0).map(({ name }) => name)
  const tags = await zfs.holds(held)
  return [
    ...members.flatMap(({ name, clones }) =>
      clones.filter((clone) => !going.has(clone)).map((clone) => ({ object: clone, reason: `is a clone of ${name}` })),
    ),
    ...held.map((name) => ({ object: name, reason: `is held: ${(tags.get(name) ?? []).join(', ')}` })),
  ]
}

/** The plan of destroying a filesystem or volume with everything below it. `which` distinguishes it from another of the same name. */
export async function planDestruction(
  zfs: Zfs,
  providers: readonly Dependents[],
  name: string,
  which: readonly string[] = [],
): Promise<Plan> {
  const members = (await withZfsErrors(name, () => zfs.tree(name))) ?? raise(noDataset(name))
  const destroys = members.map((member) => member.name)
  const users = await dependentsOf(providers, destroys)
  // Only one can have a device to itself: where it is known who, "is in use" says nothing more.
  const explained = new Set(users.map(({ claims }) => claims))
  const depends = [
    ...(await withZfsErrors(name, () => dependingOn(zfs, members))),
    ...members
      .filter(({ type }) => type === 'volume')
      .filter((member) => !explained.has(member.name) && isClaimed(deviceOf(member.name)))
      .map((member) => ({ object: member.name, reason: 'is in use' })),
    ...users.map(({ object, reason }) => ({ object, reason })),
  ]
  const identities = members.map(({ guid, txg, name: of }) => `${guid} ${txg} ${of}`)
  return {
    ...makePlan(name, destroys, depends, [...which, ...identities]),
    [MEMBERS]: members.map((member) => `${member.guid}\t${member.name}`),
  }
}

/** Starts the destruction of what was planned; the script looks again, and destroys nothing that is not in the plan. */
export async function startDestruction(
  tasks: Tasks,
  { object, destroys, [MEMBERS]: members = [] }: Plan,
  by: StartOptions['by'],
): Promise<Task> {
  const args = [object, destroys.length > 1 ? 'recursive' : 'alone']
  const inputs = { planned: { text: members.map((line) => `${line}\n`).join('') } }
  const task = await tasks.startNext('dataset-destroy', { lock: datasetLock(object), args, inputs, by })
  return task ?? raise(underWay(object))
}

export const underWay = (object: string) =>
  locked('Another job is working on this dataset: try again when it has ended', { details: { object } })

/** Throws while a task works on the dataset: what is destroyed beside a rollback could be what it goes back to. */
export async function refuseUnderWay(tasks: Pick<Tasks, 'isAtWork'>, dataset: string): Promise<void> {
  if (await tasks.isAtWork(datasetLock(dataset))) throw underWay(dataset)
}
