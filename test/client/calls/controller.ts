// Three calls of the controller surface, with the types that were made from its document. They are compiled and never made: a line that
// expects an error has to be refused, or the types say nothing.
import { reader } from './fetching.ts'
import type { components, paths } from './types-controller.ts'

type Schemas = components['schemas']
const get = reader<paths>('https://appliance.example')

export async function pool(): Promise<Schemas['Vdev'][]> {
  const found = await get('/api/v1/pools/{name}', { name: 'tank' })
  const named: Schemas['PoolDetails'] = found
  const status: 'ONLINE' | 'DEGRADED' | 'FAULTED' | 'OFFLINE' = named.status
  // @ts-expect-error a pool has no color
  const color = found.color
  // @ts-expect-error its size is a number
  const size: string = found.size
  // @ts-expect-error the path needs a name
  await get('/api/v1/pools/{name}', { pool: 'tank' })
  // @ts-expect-error there is no such path
  await get('/api/v1/pool', {})
  return [status, color, size].length > 0 ? found.vdevs : []
}

type NewUser = paths['/api/v1/users']['post']['requestBody']['content']['application/json']

export async function user(): Promise<Schemas['User']> {
  const wanted: NewUser = { username: 'alice', password: 'correct horse 1', role: 'operator' }
  // @ts-expect-error no role has this name
  const unknown: NewUser = { ...wanted, role: 'root' }
  // @ts-expect-error an account needs a password
  const incomplete: NewUser = { username: 'alice' }
  const found = await get('/api/v1/users/{id}', { id: 'user-1' })
  // @ts-expect-error a password is never shown
  const password = found.password
  return [unknown, incomplete, password].length > 0 ? found : found
}

export async function jobs(): Promise<Schemas['JobStatus'][]> {
  const found: Schemas['Job'][] = await get('/api/v1/jobs', {})
  // @ts-expect-error a job is completed, not done
  const done = found.filter(({ status }) => status === 'done')
  return [...done, ...found].map(({ status }) => status)
}

export type Refusal = Schemas['Error']['errors']
