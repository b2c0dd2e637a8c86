// A snapshot policy as people write it and as ZFS stores it: one user property of the dataset, so that it moves with the dataset. The trap:
// children inherit the property; only a local value counts.
import * as z from 'zod'
import { KnownDataset } from '../zfs/names.ts'
import { type SnapshotType, TYPES } from './periods.ts'

export type Policy = Record<SnapshotType, number> & { autosnap: boolean; autoprune: boolean }

/** The property that holds the policy, and the one that marks a snapshot as made by it. */
export const POLICY = 'edge-admin:policy'
export const MARK = 'edge-admin:snapshot'

const keep = (type: SnapshotType, often: string) =>
  z
    .int()
    .min(0)
    .max(10_000)
    .describe(`keep the newest so many ${type} snapshots, one each ${often}; 0 takes none and keeps none`)

export const SnapshotPolicy = z
  .object({
    dataset: KnownDataset,
    frequent: keep('frequent', 'quarter of an hour'),
    hourly: keep('hourly', 'hour'),
    daily: keep('daily', 'day (UTC)'),
    weekly: keep('weekly', 'week, from Monday on'),
    monthly: keep('monthly', 'month'),
    yearly: keep('yearly', 'year'),
    autosnap: z.boolean().describe('take snapshots'),
    autoprune: z.boolean().describe('destroy those that are more than is to be kept'),
  })
  .meta({ id: 'SnapshotPolicy' })
export type SnapshotPolicy = z.infer<typeof SnapshotPolicy>

export const EMPTY: Policy = {
  frequent: 0,
  hourly: 0,
  daily: 0,
  weekly: 0,
  monthly: 0,
  yearly: 0,
  autosnap: true,
  autoprune: true,
}

const SWITCHES = ['autosnap', 'autoprune'] as const

/** `frequent=4,hourly=24,…,autosnap=on,autoprune=on` */
export const formatPolicy = (policy: Policy): string =>
  [
    ...TYPES.map((type) => `${type}=${policy[type]}`),
    ...SWITCHES.map((name) => `${name}=${policy[name] ? 'on' : 'off'}`),
  ].join(',')

/** Undefined for text that is not a valid policy: somebody else wrote it, so it is ignored. */
export function parsePolicy(text: string): Policy | undefined {
  const values = new Map(text.split(',').map((part) => part.split('=', 2) as [string, string]))
  const policy = { ...EMPTY }
  for (const type of TYPES) {
    const value = values.get(type) ?? ''
    if (!/^[0-9]{1,5}$/.test(value) || Number(value) > 10_000) return undefined
    policy[type] = Number(value)
  }
  for (const name of SWITCHES) {
    const value = values.get(name)
    if (value !== 'on' && value !== 'off') return undefined
    policy[name] = value === 'on'
  }
  return values.size === TYPES.length + SWITCHES.length ? policy : undefined
}
