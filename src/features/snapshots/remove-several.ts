// Destroys several snapshots by one plan. Each is checked by its guid right before it is destroyed: the last of many goes long after the
// plan was made, and its name may belong to another snapshot by then.
import type { Member, Zfs } from '../../drivers/zfs.ts'
import { ApiError, changed, raise } from '../../errors.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import { dependingOn, refuseUnderWay } from '../datasets/destroy.ts'
import { noDataset } from '../datasets/errors.ts'
import { MEMBERS, makePlan, type Plan } from '../destruction/plan.ts'
import { withZfsErrors } from '../zfs/failure.ts'
import { datasetOf, findSnapshot, noSnapshot, removeSnapshot } from './snapshots.ts'

/** Of one request: each of them is a program or two. */
export const MOST_REMOVED = 200

export async function planRemovalOfSeveral(zfs: Zfs, names: readonly string[]): Promise<Plan> {
  const known = new Map<string, Member>()
  for (const dataset of new Set(names.map(datasetOf))) {
    const history = (await withZfsErrors(dataset, () => zfs.history(dataset))) ?? raise(noDataset(dataset))
    for (const member of history) if (member.type === 'snapshot') known.set(member.name, member)
  }
  const members = names.map((name) => known.get(name) ?? raise(noSnapshot(name)))
  const depends = await withZfsErrors('snapshots', () => dependingOn(zfs, members))
  const identities = members.map(({ guid, txg, name }) => `${guid} ${txg} ${name}`)
  return {
    ...makePlan('snapshots', [...names], depends, identities),
    [MEMBERS]: members.map(({ guid, name }) => `${guid}\t${name}`),
  }
}

/** Destroys what was planned, one after the other, and says each. What is not the planned one any more stops it. */
export async function removeSeveral(
  zfs: Zfs,
  tasks: Pick<Tasks, 'isAtWork'>,
  { [MEMBERS]: members = [] }: Plan,
  gone: (name: string) => void,
): Promise<number> {
  const planned = members.map((member) => member.split('\t') as [guid: string, name: string])
  for (const dataset of new Set(planned.map(([, name]) => datasetOf(name)))) await refuseUnderWay(tasks, dataset)
  let count = 0
  for (const [guid, name] of planned) {
    try {
      if ((await findSnapshot(zfs, name))?.guid !== guid) throw changed('it was changed meanwhile')
      await removeSnapshot(zfs, tasks, name)
    } catch (error) {
      throw stopped(error, name, `${count} of ${planned.length} were deleted`)
    }
    gone(name)
    count += 1
  }
  return count
}

/** The same error, and what is done already: that does not come back. */
function stopped(error: unknown, name: string, done: string): unknown {
  if (!(error instanceof ApiError)) return error
  return new ApiError(error.kind, `${done}; ${name}: ${error.words}`, { details: { object: name }, cause: error })
}
