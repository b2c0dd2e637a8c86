// SEC-06: every declared endpoint, called with every kind of wrong credential, against the table in endpoint-permissions.ts.
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Configuration } from '../../src/config.ts'
import { DEFAULT_ENDPOINTS, OPTIONAL_ENDPOINTS } from '../../src/endpoint-names.ts'
import { type Endpoint, endpoint } from '../../src/http/endpoint.ts'
import { mount } from '../../src/http/pipeline/mount.ts'
import type { Env } from '../../src/http/request.ts'
import type { MountOptions } from '../../src/http/surface.ts'
import { adminEndpoints } from '../../src/surfaces/admin/endpoints.ts'
import { type InProcess, startAppliance, TOKEN, temporaryFolder } from '../api/appliance.ts'
import { type Answer, type CallOptions, call, hashOf } from '../api/client.ts'
import { PERMISSIONS } from './endpoint-permissions.ts'
import { declare } from './small-surface.ts'

const everything = adminEndpoints.map(({ method, path, permission, enabled }) => ({
  method,
  path,
  permission,
  enabled,
  name: `${method} ${path}`,
}))
/** What the sample appliance has of them: two pages are the console's there. */
const sample = Configuration.parse({ endpoints: [...OPTIONAL_ENDPOINTS] })
const declared = everything.filter(({ enabled }) => enabled?.(sample) ?? true)
/** The original's body, without what stands beside it. */
const original = (body: string) => JSON.stringify({ ...JSON.parse(body), errors: undefined })
const FORBIDDEN = '{"Status":"403 Forbidden","Error-Message":"Authentication error","First-Run":false}'

/** Task scripts that do nothing: this is about who gets in. */
function idleScripts(): string {
  const folder = temporaryFolder()
  for (const kind of [
    'update',
    'logs',
    'debug',
    'reboot',
    'settings',
    'storage',
    'certs',
    'license',
    'backup',
    'restore',
  ]) {
    const file = join(folder, `${kind}.sh`)
    writeFileSync(
      file,
      `#!/bin/sh
printf '{"id":"%s","kind":"${kind}","status":"completed","progress":100,"message":"","created_at":"x"}' "\${2##*/}" >"$2/status.json"
mkdir -p "$EDGE_ROOT/home/sftp/uploads"; echo x >"$EDGE_ROOT/home/sftp/uploads/logs.tar.gz"; echo x >"$EDGE_ROOT/home/sftp/uploads/debug-bundle.tar"
`,
    )
    chmodSync(file, 0o755)
  }
  return folder
}

it('is the one that the names promise: those of the configuration need it, the others do not', () => {
  const name = (path: string) => /^\/api\/v1\/admin\/([a-z]+)/.exec(path)?.[1]
  const named = (found: typeof everything) => [...new Set(found.flatMap(({ path }) => name(path) ?? []))].sort()
  const bare = Configuration.parse({})
  const fixed = named(everything.filter(({ enabled }) => enabled?.(bare) ?? true))
  expect(fixed).toEqual([...DEFAULT_ENDPOINTS, 'openapi'].sort())
  expect(named(everything).filter((one) => !fixed.includes(one))).toEqual([...OPTIONAL_ENDPOINTS].sort())
})

describe('SEC-06 the table of endpoints', () => {
  let appliance: InProcess
  beforeAll(async () => {
    appliance = await startAppliance({ scripts: idleScripts() })
  })
  afterAll(() => appliance?.close())

  const ask = (method: string, path: string, options: CallOptions = {}): Promise<Answer> => {
    // The waiting after failures has its own tests.
    appliance.app.backOff.succeed('127.0.0.1')
    return call(appliance.url, method, path, options)
  }

  it('names every declared endpoint, and none that is not there', () => {
    expect(everything.map(({ name }) => name).sort()).toEqual(Object.keys(PERMISSIONS).sort())
    expect(everything.filter((one) => !declared.includes(one)).map(({ name }) => name)).toEqual(['GET /', 'GET /docs'])
  })

  it('has the same doors as the declarations', () => {
    const doors = { public: 'open', 'set-up': 'set-up', administrator: 'closed', operator: 'closed', viewer: 'closed' }
    expect(
      Object.fromEntries(everything.map(({ name, permission }) => [name, doors[permission as keyof typeof doors]])),
    ).toEqual(Object.fromEntries(Object.entries(PERMISSIONS).map(([name, { door }]) => [name, door])))
  })

  const wrong: Record<string, (method: string, path: string) => CallOptions> = {
    'no credential': () => ({}),
    'an empty token': () => ({ token: '' }),
    'an empty hash': () => ({ hash: '' }),
    'a wrong token': () => ({ token: 'yourtokeN' }),
    'the beginning of the token': () => ({ token: TOKEN.slice(0, -1) }),
    'a longer token': () => ({ token: `${TOKEN}x` }),
    'a truncated hash': (method, path) => ({ hash: hashOf(TOKEN, method, path).slice(0, -1) }),
    'the hash of another method': (method, path) => ({ hash: hashOf(TOKEN, method === 'GET' ? 'POST' : 'GET', path) }),
    'the hash of another path': (method, path) => ({ hash: hashOf(TOKEN, method, `${path}x`) }),
    'the hash of the empty token': (method, path) => ({ hash: hashOf('', method, path) }),
    'a wrong hash beside the right token': (method, path) => ({ token: TOKEN, hash: hashOf('other', method, path) }),
    'a header instead of the query': () => ({
      headers: { authorization: `Bearer ${TOKEN}`, cookie: `token=${TOKEN}` },
    }),
  }
  for (const [what, options] of Object.entries(wrong)) {
    it(`lets nobody in with ${what}`, async () => {
      for (const { method, path, name } of declared) {
        const { door, right } = PERMISSIONS[name]!
        if (door === 'set-up') continue
        const { status, body } = await ask(method, path, options(method, path))
        if (door === 'closed') expect([name, status, original(body)]).toEqual([name, 403, FORBIDDEN])
        else if (door === 'open') expect([name, status]).toEqual([name, right])
      }
    })
  }

  it('lets set-up happen only with the token, once there is one', async () => {
    const path = '/api/v1/admin/setup'
    const form = [{ name: 'newtoken', value: 'taken' }]
    // Each from an address of its own, all at once: every refusal takes two seconds.
    const answers = await Promise.all(
      Object.entries(wrong).map(async ([what, options], i) => {
        const { status, body } = await call(appliance.url, 'POST', path, {
          ...options('POST', path),
          form,
          from: `127.0.0.${i + 10}`,
        })
        return [what, status, body]
      }),
    )
    const refusal =
      '{"Status":"403 Forbidden","Error-Message":"The token is set already: expected it as token or hash"}'
    expect(answers).toEqual(Object.keys(wrong).map((what) => [what, 403, refusal]))
    expect((await ask('GET', '/api/v1/admin/version', { token: TOKEN })).status).toBe(200)
  })

  it('lets everybody in with the right hash, and with the right token', async () => {
    for (const { method, path, name } of declared) {
      for (const options of [
        { sign: TOKEN },
        { token: TOKEN },
        { sign: TOKEN, token: 'wrong' },
        // As PowerShell writes hexadecimal.
        { hash: hashOf(TOKEN, method, path).toUpperCase() },
        { hash: '', token: TOKEN },
      ]) {
        const { status } = await ask(method, path, options)
        // Reboot is a task: a second one may come before the first has ended.
        if (!(path.endsWith('/reboot') && status === 409)) {
          expect([name, options, status]).toEqual([name, options, PERMISSIONS[name]!.right])
        }
      }
    }
  })

  it('says which method is right only to those who may know', async () => {
    const path = '/api/v1/admin/version'
    expect(original((await ask('POST', path)).body)).toBe(FORBIDDEN)
    const known = await ask('POST', path, { sign: TOKEN })
    expect([known.status, JSON.parse(known.body)['Error-Message']]).toEqual([
      400,
      'Invalid authentication method. Expected GET',
    ])
    const restore = await ask('GET', '/api/v1/admin/backup/restore', { sign: TOKEN })
    expect(JSON.parse(restore.body)['Error-Message']).toBe('Invalid authentication method. Expected POST')
  })
})

describe('SEC-06 while the first run is pending', () => {
  it('refuses everything but set-up and what is public, even with the phrase', async () => {
    const appliance = await startAppliance({ token: null, scripts: idleScripts() })
    try {
      const phrase = appliance.read(join(appliance.folders.root, 'etc/api.token')).trim()
      expect(phrase.split('-')).toHaveLength(4)
      for (const { method, path, name } of declared) {
        for (const options of [{}, { token: phrase }, { sign: phrase }]) {
          const { status, body } = await call(appliance.url, method, path, options)
          const { door, right } = PERMISSIONS[name]!
          if (door === 'closed') {
            expect([name, original(body)]).toEqual([
              name,
              '{"Status":"403 Forbidden","Error-Message":"Authentication error","First-Run":true}',
            ])
          } else if (door === 'open') expect([name, status]).toEqual([name, right])
        }
      }
      expect(appliance.audit().some((line) => line.includes('token.firstrun.failed,"api/v1/admin/'))).toBe(true)
    } finally {
      await appliance.close()
    }
  })
})

describe('a declaration without a permission', () => {
  it('does not mount', () => {
    const { permission: _, ...rest } = adminEndpoints[0]!
    const endpoints = [rest as unknown as Endpoint<unknown>]
    const options = { app: new Hono<Env>(), surface: {}, endpoints, config: Configuration.parse({}) }
    expect(() => mount(options as unknown as MountOptions<unknown>)).toThrow('declares no permission')
    expect(options.app.routes).toEqual([])
  })

  it('does not compile, nor one whose permission is no role, or gives none', () => {
    const define = endpoint<object>()
    const { permission: _, ...rest } = declare()
    // @ts-expect-error: a permission is missing
    define(rest)
    // @ts-expect-error: there is no such role
    define({ ...rest, permission: 'root' })
    // @ts-expect-error: it may be left open
    define({ ...rest, permission: undefined })
    // @ts-expect-error: a scope alone says nothing of what is needed there
    define({ ...rest, permission: ({ project = '' }) => ({ scope: project }) })
    // @ts-expect-error: whether the caller may is not for the declaration to say
    define({ ...rest, permission: () => true })
    expect(define({ ...rest, permission: 'viewer' }).permission).toBe('viewer')
    expect(define({ ...rest, permission: ({ project = '' }) => ({ role: 'viewer', scope: project }) }).id).toBe(rest.id)
  })
})
