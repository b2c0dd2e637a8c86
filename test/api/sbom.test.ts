// GET /build, and the software bill of materials that it leads to. /build is the vendor's file, whatever is in it.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type InProcess, REPOSITORY, startAppliance } from './appliance.ts'

let appliance: InProcess
beforeAll(async () => {
  appliance = await startAppliance()
})
afterAll(() => appliance.close())

it('is linked by GET /build, whose body stays the vendor’s', async () => {
  const written = ' ["made", "on a Sunday"]\n'
  writeFileSync(join(appliance.folders.sysconf, 'build.json'), written)
  const { status, headers, body } = await appliance.call('GET', '/build')
  expect([status, headers['content-type'], body]).toEqual([200, 'application/json', written])
  const [, path] =
    /^<\/api\/v1\/admin(\/[^>]+)>; rel="describedby"; type="([^"]+)"$/.exec(String(headers['link'])) ?? []
  const bill = await appliance.call('GET', path!)
  expect([bill.status, bill.headers['content-type']]).toEqual([200, 'application/vnd.cyclonedx+json; version=1.5'])
  expect(bill.body).toBe(readFileSync(join(REPOSITORY, 'dist/sbom.json'), 'utf8'))
})

it('is for whoever may read /build', async () => {
  for (const path of ['/build', '/build/sbom'])
    expect([path, (await appliance.call('GET', path, { nobody: true })).status]).toEqual([path, 403])
})

it('is not announced where the original is compared with', async () => {
  const original = await startAppliance({ mode: 'original' })
  try {
    expect((await original.call('GET', '/build')).headers['link']).toBeUndefined()
  } finally {
    await original.close()
  }
})
