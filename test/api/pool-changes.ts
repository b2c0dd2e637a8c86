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
  return {
    world: () => world,
    ask,
    pool,
    layout: async () => shape((await pool()).vdevs),
    async make(...vdevs: string[]): Promise<Json> {
      const { status, json } = await world.ask('POST', '/pools', { json: { name: 'tank', vdevs } })
      expect([status, json]).toEqual([201, expect.anything()])
      return json
    },
    /** The change, and the end of its job. */
    async done(verb: string, json: unknown = {}, query = ''): Promise<Json> {
      const answer = await ask(verb, json, query)
      expect([verb, answer.status, answer.json]).toEqual([
        verb,
        200,
        expect.objectContaining({ job: expect.any(String) }),
      ])
      const job = await world.job(answer.json.job)
      expect([verb, job]).toEqual([verb, expect.objectContaining({ status: 'completed' })])
      return job
    },
  }
}
