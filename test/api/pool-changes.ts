// Changes of the disks of a pool through the API, for the tests of them: the pool is `tank`, and each test begins without it.
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { emptyDisks, holdWork } from './storage-work.ts'
import type { World } from './storage-world.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests say themselves what they expect in it
export type Json = any

export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
/** A layout without all but the names. */
export const shape = (vdevs: Json): unknown =>
  vdevs.map(({ name, children }: Json) => (children ? [name, shape(children)] : name))
/** A layout without the numbers of its groups: a plan has none for a group that is new. */
const unnumbered = (vdevs: Json): unknown =>
  vdevs.map(({ name, children }: Json) => (children ? [name.replace(/-\d+$/, ''), unnumbered(children)] : name))

/** A world for the tests of a file. */
export function poolTests(start: () => Promise<World>) {
  let world: World
  beforeAll(async () => {
    world = await start()
  })
  afterAll(() => world?.close())
  afterEach(async () => {
    holdWork(world, false)
    for (const { id } of (await world.ask('GET', '/jobs?status=running')).json)
      await world.ask('POST', `/jobs/${id}/cancel`)
    await world.ask('DELETE', '/pools/tank')
    emptyDisks(world, 6)
  })

  const ask = (verb: string, json: unknown = {}, query = '') =>
    world.ask('POST', `/pools/tank/${verb}${query}`, { json })
  const pool = async (): Promise<Json> => (await world.ask('GET', '/pools/tank')).json
  /** The change, and the end of its job. */
  const done = async (verb: string, json: unknown = {}, query = ''): Promise<Json> => {
    const answer = await ask(verb, json, query)
    expect([verb, answer.status, answer.json]).toEqual([
      verb,
      200,
      expect.objectContaining({ job: expect.any(String) }),
    ])
    const job = await world.job(answer.json.job)
    expect([verb, job]).toEqual([verb, expect.objectContaining({ status: 'completed' })])
    return job
  }
  /** What the dry run of a change says comes after; to call once the change is over: the pool looks like that. */
  const planned = async (verb: string, json: unknown): Promise<() => Promise<void>> => {
    const plan = await ask(verb, json, '?dry_run=true')
    expect([verb, plan.status, plan.json]).toEqual([verb, 200, expect.anything()])
    return async () => expect([verb, unnumbered((await pool()).vdevs)]).toEqual([verb, unnumbered(plan.json.after)])
  }
  return {
    world: () => world,
    ask,
    pool,
    done,
    planned,
    layout: async () => shape((await pool()).vdevs),
    async make(...vdevs: string[]): Promise<Json> {
      const { status, json } = await world.ask('POST', '/pools', { json: { name: 'tank', vdevs } })
      expect([status, json]).toEqual([201, expect.anything()])
      return json
    },
    /** The change to its end, after which the pool looks as its dry run said. */
    async asPlanned(verb: string, json: unknown): Promise<void> {
      const assertPlan = await planned(verb, json)
      await done(verb, json)
      await assertPlan()
    },
  }
}
