// The plain manual, for whom the console's does not suit. It is made from the documents, so what is checked is that
// nothing of them is left out, and that what it shows can be pasted.
import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type InProcess, startAppliance } from './appliance.ts'
import { call } from './client.ts'
import { ON } from './controller.ts'

let appliance: InProcess
let page: string
beforeAll(async () => {
  appliance = await startAppliance(ON)
  page = (await call(appliance.url, 'GET', '/docs/API.html')).body
})
afterAll(() => appliance?.close())

const unescaped = (text: string) =>
  text
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&')
const examples = () => [...page.matchAll(/<pre>([\s\S]*?)<\/pre>/g)].map(([, text = '']) => unescaped(text))

describe('GET /docs/API.html', () => {
  it('shows every operation of every surface that is on', async () => {
    for (const document of ['/api/v1/admin/openapi.json', '/api/v1/openapi.json']) {
      const { paths } = JSON.parse((await call(appliance.url, 'GET', document)).body) as {
        paths: Record<string, object>
      }
      for (const [path, methods] of Object.entries(paths))
        for (const method of Object.keys(methods)) expect(page).toContain(`id="${method}-${path}"`)
    }
  })

  it('names what operations share, and shows its members', () => {
    const part = (id: string) => page.slice(page.indexOf(`id="${id}"`)).split('<h3')[0] ?? ''
    expect(part('get-/api/v1/pools')).toContain('200 application/json list of Pool')
    expect(part('delete-/api/v1/pools/{name}')).toContain('200 application/json Message or DestructionPlan')
    expect(part('post-/api/v1/users')).toContain('(string Role, optional)')
    // Of a body that is a component itself, the members are there all the same.
    expect(part('put-/api/v1/snapshot-policies/{dataset}')).toContain('<code>autoprune</code>')
    expect(part('delete-/api/v1/pools/{name}')).toContain('<code>dry_run</code>')
  })

  it('says nothing of accounts where their surface is off', async () => {
    const plain = await startAppliance()
    try {
      const { body } = await call(plain.url, 'GET', '/docs/API.html')
      expect(body).toContain('id="get-/api/v1/admin/version"')
      expect(body).not.toContain('Bearer')
    } finally {
      await plain.close()
    }
  })

  it('shows lines that a shell takes, and bodies that are JSON', () => {
    for (const text of examples()) {
      const { status, stderr } = spawnSync('sh', ['-n', '-c', text], { encoding: 'utf8' })
      expect([status, stderr, text]).toEqual([0, '', text])
      const [, body] = /-d '(.*)'$/.exec(text) ?? []
      if (body !== undefined) expect(() => JSON.parse(body)).not.toThrow()
    }
    expect(examples().filter((text) => text.includes('Bearer $JWT')).length).toBeGreaterThan(5)
  })
})

describe('without the console', () => {
  it('is at /docs as well, and the front page leads to it', async () => {
    const plain = await startAppliance({ config: { surfaces: { console: { enabled: false } } } })
    try {
      const manual = await call(plain.url, 'GET', '/docs')
      expect(manual.body).toBe((await call(plain.url, 'GET', '/docs/API.html')).body)
      const { status, body } = await call(plain.url, 'GET', '/')
      expect([status, body]).toEqual([200, expect.stringContaining('href="/docs"')])
    } finally {
      await plain.close()
    }
  })
})
