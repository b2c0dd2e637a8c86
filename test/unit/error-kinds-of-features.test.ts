// The kinds of error that features throw where something stands in the way: a dialect that has a word for each relies on them.
import { expect, it } from 'vitest'
import type { Zfs } from '../../src/drivers/zfs.ts'
import { ApiError, type ErrorKind } from '../../src/errors.ts'
import { refuseUnderWay, startDestruction } from '../../src/features/datasets/destroy.ts'
import { isAgreed } from '../../src/features/destruction/agreement.ts'
import { makePlan, type Plan } from '../../src/features/destruction/plan.ts'
import { createPool, exportPool, importPool, scrubPool } from '../../src/features/pools/change.ts'
import type { Pools } from '../../src/features/pools/pools.ts'
import { placeOf } from '../../src/features/shares/place.ts'
import { createPolicy } from '../../src/features/snapshots/policies.ts'
import { EMPTY, formatPolicy, POLICY } from '../../src/features/snapshots/policy.ts'
import type { Tasks } from '../../src/tasks/tasks.ts'

const by = { name: 'alice', address: '192.0.2.1' }
const property = (value: string) => ({ value, source: 'local' })
/** A machine with one pool, of which everything is in use and at work. */
const pools = {
  zpool: { find: async () => ({ name: 'tank', guid: '1' }), importable: async () => [{ name: 'tank', id: '7' }] },
  zfs: { tree: async () => [{ name: 'tank' }], get: async () => new Map([['mountpoint', property('none')]]) },
  lsblk: { settle: async () => {}, list: async () => [], missing: async () => [] },
  tasks: { startNext: async () => undefined, isAtWork: async () => true } as unknown as Tasks,
  dependents: [async () => [{ object: 'shares/smb/a', reason: 'is the SMB share a' }]],
  files: undefined,
} as unknown as Pools
const idle = { ...pools, dependents: [] }
const found = new Map([[POLICY, property(formatPolicy(EMPTY))]])
const zfs = { get: async () => found } as unknown as Zfs
const plan = (destroys: string[], depends: Plan['depends'] = []) => makePlan('tank/a', destroys, depends)
const alone = plan(['tank/a'])

it.each<[what: string, kind: ErrorKind, act: () => unknown]>([
  ['a pool of a name that there is', 'exists', () => createPool(pools, { name: 'tank', vdevs: ['/dev/sda'] }, by)],
  ['an import under a name that there is', 'exists', () => importPool(pools, { name: 'tank' }, by)],
  ['a second policy of a dataset', 'exists', () => createPolicy(zfs, 'tank/a', {})],
  ['an export of a pool that is shared', 'in-use', () => exportPool(pools, 'tank', by)],
  [
    'a plan of what something depends on',
    'in-use',
    () => isAgreed(plan(['tank/a'], [{ object: 'tank/b', reason: 'is a clone of tank/a@x' }]), {}, false),
  ],
  ['a plan that takes more with it', 'confirm-required', () => isAgreed(plan(['tank/a', 'tank/a/b']), {}, false)],
  ['a plan whose token has to be given', 'confirm-required', () => isAgreed(alone, {}, true)],
  ['a plan with the token of another one', 'confirm-required', () => isAgreed(alone, { confirm: 'x' }, false)],
  ['an export beside another job', 'locked', () => exportPool(idle, 'tank', by)],
  ['a scrub beside another job', 'locked', () => scrubPool(idle, 'tank', by)],
  ['a destruction beside another job', 'locked', () => startDestruction(pools.tasks, alone, by)],
  ['a removal beside another job', 'locked', () => refuseUnderWay(pools.tasks, 'tank/a')],
  ['a share of what is not mounted', 'failed-precondition', () => placeOf(pools.zfs, 'tank/a')],
])('%s: %s', async (_what, kind, act) => {
  const error = await Promise.resolve()
    .then(act)
    .catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(ApiError)
  expect(error).toMatchObject({ kind })
})

it('a plan is carried out once it is agreed to, and never by a dry run', () => {
  const two = plan(['tank/a', 'tank/a/b'])
  expect(isAgreed(two, { recursive: 'true', confirm: two.confirm }, true)).toBe(true)
  expect(isAgreed(alone, {}, false)).toBe(true)
  expect(isAgreed(two, { dry_run: 'true', recursive: 'true', confirm: two.confirm }, true)).toBe(false)
})
