// Three calls of the admin surface, with the types that were made from its document. They are compiled and never made: a line that
// expects an error has to be refused, or the types say nothing.
import { reader } from './fetching.ts'
import type { components, paths } from './types-admin.ts'

type Schemas = components['schemas']
const get = reader<paths>('https://appliance.example')

export async function version(): Promise<string> {
  const found = await get('/api/v1/admin/version', {})
  // @ts-expect-error the version is text
  const number: number = found.version
  return number > 0 ? '' : found.version
}

export async function health(): Promise<Schemas['Use']> {
  const { cpu, disk } = await get('/api/v1/admin/health', {})
  const processors: number = cpu.num
  // @ts-expect-error the percentage is a number
  const percent: string = disk.percentage
  return processors > 0 && percent ? disk : disk
}

type Update = paths['/api/v1/admin/update']['post']['responses'][202]['content']['application/json']

export function updated(answer: Update): Schemas['Accepted']['Location'] {
  // @ts-expect-error another status is not what was declared
  const other: Update = { ...answer, Status: '200 OK' }
  return other.Location
}
