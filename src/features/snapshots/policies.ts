// Snapshot policies, stored in a property of their dataset, with a preview of their next run. The trap: smaller counts destroy snapshots at
// that run; the preview lists which.
import type { Property, Zfs } from '../../drivers/zfs.ts'
import { exists, invalid, notFound, raise } from '../../errors.ts'
import { noDataset } from '../datasets/errors.ts'
import { withZfsErrors, zfsFailure } from '../zfs/failure.ts'
import { LONGEST } from '../zfs/names.ts'
import { TYPES } from './periods.ts'
import { EMPTY, formatPolicy, MARK, POLICY, type Policy, parsePolicy, type SnapshotPolicy } from './policy.ts'
import { type Decision, decide, labelOf, type Made, readMade } from './schedule.ts'

/** What a caller names of a policy; the rest is as it was, or as in EMPTY. */
export type PolicyChange = { [Name in keyof Policy]?: Policy[Name] | undefined }

export interface Preview {
  dataset: string
  take: string[]
  destroy: string[]
  keep: { name: string; reason: string }[]
}

const noPolicy = (dataset: string) => notFound('snapshot policy not found', { details: { object: dataset } })

/** All of them, or those of one pool. */
export async function listPolicies(zfs: Zfs, pool?: string): Promise<SnapshotPolicy[]> {
  const found: SnapshotPolicy[] = []
  try {
    for (const [dataset, text] of await zfs.local(POLICY, pool)) {
      const policy = parsePolicy(text)
      if (policy) found.push({ dataset, ...policy })
    }
  } catch (error) {
    throw zfsFailure(error, 'zfs')
  }
  return found
}

/** Undefined when the dataset has none; a dataset that is not there is a 404. */
export async function findPolicy(zfs: Zfs, dataset: string): Promise<SnapshotPolicy | undefined> {
  return policyIn(dataset, (await withZfsErrors(dataset, () => zfs.get(dataset))) ?? raise(noDataset(dataset)))
}

/** The policy of the dataset of that name within this one; undefined where there is no such policy, or dataset. */
export async function findPolicyBelow(zfs: Zfs, dataset: string, name: string): Promise<SnapshotPolicy | undefined> {
  const child = `${dataset}/${name}`
  const all = child.length > LONGEST ? undefined : await withZfsErrors(child, () => zfs.get(child))
  return all && policyIn(child, all)
}

function policyIn(dataset: string, all: ReadonlyMap<string, Property>): SnapshotPolicy | undefined {
  const property = all.get(POLICY)
  const policy = property?.source === 'local' ? parsePolicy(property.value) : undefined
  return policy && { dataset, ...policy }
}

export const getPolicy = async (zfs: Zfs, dataset: string): Promise<SnapshotPolicy> =>
  (await findPolicy(zfs, dataset)) ?? raise(noPolicy(dataset))

export async function createPolicy(zfs: Zfs, dataset: string, wanted: PolicyChange): Promise<SnapshotPolicy> {
  if (await findPolicy(zfs, dataset))
    throw exists('This dataset has a snapshot policy', { details: { object: dataset } })
  return store(zfs, { dataset, ...merge(EMPTY, wanted) })
}

/** What is left out stays. */
export async function updatePolicy(zfs: Zfs, dataset: string, wanted: PolicyChange): Promise<SnapshotPolicy> {
  return store(zfs, { dataset, ...merge(await getPolicy(zfs, dataset), wanted) })
}

/** The snapshots that it took stay, and are pruned by nothing. */
export async function removePolicy(zfs: Zfs, dataset: string): Promise<void> {
  await getPolicy(zfs, dataset)
  await withZfsErrors(dataset, () => zfs.inherit(dataset, POLICY))
}

async function store(zfs: Zfs, policy: SnapshotPolicy): Promise<SnapshotPolicy> {
  checkLength(policy)
  await withZfsErrors(policy.dataset, () => zfs.set(policy.dataset, { [POLICY]: formatPolicy(policy) }))
  return policy
}

/** Throws a 400 for a policy whose snapshots would have names that ZFS does not take; each run would fail. */
function checkLength({ dataset, autosnap, ...counts }: SnapshotPolicy): void {
  const fits = (type: (typeof TYPES)[number]) => `${dataset}@${labelOf(type, 0)}`.length <= LONGEST
  const wrong = autosnap ? TYPES.find((type) => counts[type] > 0 && !fits(type)) : undefined
  if (wrong === undefined) return
  const field = TYPES.some(fits) ? wrong : 'dataset'
  throw invalid(`The names of its ${wrong} snapshots would have more than ${LONGEST} bytes`, { details: { field } })
}

const merge = (before: Policy, { autosnap, autoprune, ...counts }: PolicyChange): Policy => ({
  frequent: counts.frequent ?? before.frequent,
  hourly: counts.hourly ?? before.hourly,
  daily: counts.daily ?? before.daily,
  weekly: counts.weekly ?? before.weekly,
  monthly: counts.monthly ?? before.monthly,
  yearly: counts.yearly ?? before.yearly,
  autosnap: autosnap ?? before.autosnap,
  autoprune: autoprune ?? before.autoprune,
})

/** What policies have made of these datasets, by dataset; one call however many. */
export async function listMade(zfs: Zfs, datasets: string[]): Promise<Map<string, Made[]>> {
  const found = new Map<string, Made[]>(datasets.map((dataset) => [dataset, []]))
  for (const snapshot of await zfs.marked(datasets, MARK)) {
    const made = readMade(snapshot)
    if (made) found.get(made.name.slice(0, made.name.indexOf('@')))?.push(made)
  }
  return found
}

/** What the next run would take, destroy and keep; with `wanted`, once the policy is made or changed so. */
export async function previewPolicy(
  zfs: Zfs,
  dataset: string,
  now: number,
  wanted: PolicyChange = {},
): Promise<Preview> {
  const isChange = Object.values(wanted).some((value) => value !== undefined)
  const before = isChange ? await findPolicy(zfs, dataset) : await getPolicy(zfs, dataset)
  const policy = merge(before ?? EMPTY, wanted)
  return withZfsErrors(dataset, async () => {
    const made = (await listMade(zfs, [dataset])).get(dataset) ?? []
    const decision = decide(policy, [...made, ...soon(policy, made, now, dataset)], now)
    const tags = await zfs.holds(decision.keep.filter(({ reason }) => reason === 'held').map(nameOf))
    return {
      dataset,
      take: decide(policy, made, now).take.map((type) => `${dataset}@${labelOf(type, now)}`),
      destroy: decision.remove.map(({ name }) => name),
      keep: decision.keep
        .filter(({ snapshot }) => made.includes(snapshot))
        .map(({ snapshot, reason }) => {
          const by = tags.get(snapshot.name)
          return { name: snapshot.name, reason: by ? `held: ${by.join(', ')}` : reason }
        }),
    }
  })
}

const nameOf = ({ snapshot }: Decision['keep'][number]) => snapshot.name

/** What will have been taken when it comes to pruning. */
const soon = (policy: Policy, made: Made[], now: number, dataset: string): Made[] =>
  decide(policy, made, now).take.map((type) => ({
    name: `${dataset}@${labelOf(type, now)}`,
    type,
    time: now - (now % 1000),
    txg: Number.MAX_SAFE_INTEGER,
    holds: 0,
    clones: [],
  }))
