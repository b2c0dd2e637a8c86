// POST /certs: what a look can refuse is refused at once, with the file and the reason, in the answer and in the log.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { FIXTURES, type InProcess, startAppliance } from './appliance.ts'
import { file, until } from './client.ts'

const fixture = (name: string) => readFileSync(join(FIXTURES, name))
let appliance: InProcess
beforeAll(async () => {
  appliance = await startAppliance({ config: { endpoints: ['certs'] } })
})
afterAll(() => appliance.close())

const post = (server: InProcess, certificate: Buffer, key: Buffer) =>
  server.call('POST', '/certs', { form: [file('public', certificate), file('private', key)] })

it('says which file is wrong and why, and starts nothing', async () => {
  const { status, body } = await post(appliance, fixture('rsa.pem'), fixture('rsa2.key'))
  const message = 'The key belongs to another certificate than the one under public'
  expect([status, JSON.parse(body)]).toMatchObject([
    400,
    {
      Status: '400 Bad Request',
      'Error-Message': 'Invalid or missing TLS certificate files',
      errors: [{ field: 'private', message }],
    },
  ])
  expect(appliance.read(join(appliance.folders.root, 'log/update_certs.log'))).toContain(`\nprivate: ${message}\n`)
  expect(appliance.app.tasks.latest('certs')).toBeUndefined()
  expect(appliance.audit().at(-1)).toContain('certs.post.refused,"400"')
})

it('names each file that is missing', async () => {
  const only = await appliance.call('POST', '/certs', { form: [file('public', fixture('rsa.pem'))] })
  expect(JSON.parse(only.body)['Error-Message']).toMatch(
    /^Expected a file for option: private\. .* curl -F private=@FILE$/,
  )
  const raw = await appliance.call('POST', '/certs', {
    body: fixture('rsa.pem'),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  expect([raw.status, JSON.parse(raw.body)['Error-Message']]).toEqual([
    400,
    expect.stringContaining('curl -F public=@FILE'),
  ])
})

it('serves a pair that an editor has saved', async () => {
  const [cert, key] = ['ec.pem', 'ec.key'].map((name) => Buffer.from(`\ufeff${fixture(name)}`, 'utf16le'))
  expect((await post(appliance, cert as Buffer, key as Buffer)).status).toBe(202)
  await until('it is in place', async () => {
    const { status } = JSON.parse((await appliance.call('GET', '/certs?wait=10')).body)
    expect(status).not.toBe('failed')
    return status === 'success'
  })
  expect(readFileSync(join(appliance.folders.sysconf, 'pki/tls/certs/enterprise.crt'))).toEqual(fixture('ec.pem'))
})

it('begins the task all the same where it stands in for the original', async () => {
  const original = await startAppliance({ mode: 'original', config: { endpoints: ['certs'] } })
  try {
    expect((await post(original, fixture('rsa.pem'), fixture('rsa2.key'))).status).toBe(202)
    await until('it ends', async () => JSON.parse((await original.call('GET', '/certs')).body).status === 'failed')
  } finally {
    await original.close()
  }
})
