// What uses datasets and snapshots, and so stands in the way of their end: shares, exports, LUNs. Each of those features brings one list.
import type { Plan } from './plan.ts'

/** Something that uses one of them; `claims` is the volume whose device it has to itself. */
export type Dependent = Plan['depends'][number] & { claims?: string }

/** What uses any of these datasets and snapshots. */
export type Dependents = (names: readonly string[]) => Dependent[] | Promise<Dependent[]>

/** What all of them know, one after the other: each starts programs. */
export async function dependentsOf(providers: readonly Dependents[], names: readonly string[]): Promise<Dependent[]> {
  const found: Dependent[] = []
  for (const provider of providers) found.push(...(await provider(names)))
  return found
}
