// One action has one name: it is declared with the endpoint, and entries get it from there, whether the action succeeds or not.
import { describe, expect, it } from 'vitest'
import type { Endpoint } from '../../src/http/endpoint.ts'
import { adminEndpoints } from '../../src/surfaces/admin/endpoints.ts'
import { consoleEndpoints } from '../../src/surfaces/console/endpoints.ts'
import { controllerEndpoints } from '../../src/surfaces/controller/endpoints.ts'

const all = [adminEndpoints, consoleEndpoints, controllerEndpoints].flat() as unknown as Endpoint<unknown>[]
const changes = all.filter(({ method }) => method !== 'GET')

describe('the action of an endpoint', () => {
  it('is declared for each change, as noun and verb', () => {
    expect(changes.length).toBeGreaterThan(30)
    expect(changes.filter(({ action }) => !/^[a-z-]+(?:\.[a-z-]+)+$/.test(action ?? '')).map(({ id }) => id)).toEqual(
      [],
    )
  })
  it('is shared only by endpoints that do the same', () => {
    const names = new Map<string, string[]>()
    for (const { action = '', id } of changes) names.set(action, [...(names.get(action) ?? []), id])
    expect(Object.fromEntries([...names].filter(([, ids]) => ids.length > 1))).toEqual({
      'auth.login': ['signIn', 'login'],
      'auth.logout': ['signOut', 'logout'],
      'snapshots.delete': ['deleteSnapshots', 'deleteSnapshot'],
      'token.update': ['setUp', 'firstRun'],
    })
  })
})
