// Rolls a dataset back to a snapshot: the plan of what is lost, and the task. Everything newer is lost for good, snapshots and data. The
// script is given the list of newer snapshots, and refuses when there is one more, or when the snapshot itself was replaced.
import type { Zfs } from '../../drivers/zfs.ts'
import { notFound, raise } from '../../errors.ts'
import type { Task } from '../../tasks/task.ts'
import type { StartOptions, Tasks } from '../../tasks/tasks.ts'
import { dependingOn, underWay } from '../datasets/destroy.ts'
import { makePlan, type Plan } from '../destruction/plan.ts'
import { withZfsErrors } from '../zfs/failure.ts'
import { datasetLock } from '../zfs/lock.ts'
import { datasetOf } from './snapshots.ts'

/** The guid of the snapshot: not shown, for the script. */
const TARGET = Symbol('target')
export type RollbackPlan = Plan & { [TARGET]: string }

/** What is newer than the snapshot, in the order of its making: all of it goes. */
export async function planRollback(
  zfs: Zfs,
  snapshot: string,
  /** Who has a volume open. ZFS takes it back under him all the same. */
  users: (volume: string) => Promise<Plan['depends']> = async () => [],
): Promise<RollbackPlan> {
  const missing = () => notFound('snapshot not found', { details: { object: snapshot } })
  const history = (await withZfsErrors(snapshot, () => zfs.history(datasetOf(snapshot)))) ?? raise(missing())
  const { txg, guid } = history.find(({ name }) => name === snapshot) ?? raise(missing())
  const newer = history.filter((member) => member.txg > txg).sort((a, b) => a.txg - b.txg)
  const depends = await withZfsErrors(snapshot, () => dependingOn(zfs, newer))
  depends.push(...(await users(datasetOf(snapshot))))
  const names = newer.map(({ name }) => name)
  const identities = [`${guid} ${txg}`, ...newer.map((member) => `${member.guid} ${member.txg}`)]
  return { ...makePlan(snapshot, names, depends, identities), [TARGET]: guid }
}

export async function startRollback(
  tasks: Tasks,
  { object, destroys, [TARGET]: guid }: RollbackPlan,
  by: StartOptions['by'],
): Promise<Task> {
  const dataset = datasetOf(object)
  const newer = destroys.map((name) => `${name}\n`).join('')
  return (
    (await tasks.startNext('snapshot-rollback', {
      lock: datasetLock(dataset),
      args: [dataset, object],
      inputs: { newer: { text: newer }, guid: { text: `${guid}\n` } },
      by,
    })) ?? raise(underWay(dataset))
  )
}
