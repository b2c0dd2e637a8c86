// Who may call what on the controller surface: the whole table, as data, written by hand on purpose (SEC-06, SEC-30).
// An endpoint that appears in the code and not here fails the test.

export const CALLERS = ['nobody', 'viewer', 'operator', 'administrator'] as const
export type Row = Record<(typeof CALLERS)[number], number> & { json?: unknown }

const everyone = (status: number): Row => ({
  nobody: status,
  viewer: status,
  operator: status,
  administrator: status,
})
const lost = everyone(404)
const readers: Row = { nobody: 401, viewer: 200, operator: 200, administrator: 200 }
const operators = (status: number, json?: unknown): Row => ({ ...administrators(status, json), operator: status })
const administrators = (status: number, json?: unknown): Row => ({
  nobody: 401,
  viewer: 403,
  operator: 403,
  administrator: status,
  json,
})

/** `METHOD path` → the status that each caller gets, with the body to send. `{id}` is an account that is not the caller's. */
export const CONTROLLER: Record<string, Row> = {
  'POST /api/v1/auth/login': { ...everyone(401), json: { username: 'unknown', password: 'unknown' } },
  'POST /api/v1/auth/logout': readers,
  'PUT /api/v1/auth/password': {
    ...everyone(400),
    nobody: 401,
    json: { current: 'not-this-one-1', password: 'made-by-1-test' },
  },
  'GET /api/v1/users': readers,
  'POST /api/v1/users': administrators(201, { username: 'made', password: 'made-by-1-test' }),
  'GET /api/v1/users/{id}': readers,
  'PUT /api/v1/users/{id}': administrators(200, { email: 'changed@example.com' }),
  'DELETE /api/v1/users/{id}': administrators(200),
  'GET /api/v1/jobs': readers,
  'GET /api/v1/jobs/{id}': { ...lost, nobody: 401 },
  'GET /api/v1/jobs/events': readers,
  'GET /api/v1/jobs/{id}/log': { ...lost, nobody: 401 },
  // Without a job: who may not cancel any is told so first.
  'POST /api/v1/jobs/{id}/cancel': { ...lost, nobody: 401, viewer: 403 },
  'GET /api/v1/audit': administrators(200),
  'GET /api/v1/disks': readers,
  'GET /api/v1/disks/{id}': { ...lost, nobody: 401 },
  'GET /api/v1/pools': readers,
  'POST /api/v1/pools': operators(400, { name: 'tank', vdevs: ['/dev/no-such-disk'] }),
  'GET /api/v1/pools/available': readers,
  'POST /api/v1/pools/import': operators(404, { name: 'tank' }),
  'GET /api/v1/pools/{name}': { ...lost, nobody: 401 },
  'DELETE /api/v1/pools/{name}': operators(404),
  'POST /api/v1/pools/{name}/scrub': operators(404),
  'GET /api/v1/pools/{name}/scrub': { ...lost, nobody: 401 },
  'POST /api/v1/pools/{name}/export': operators(404),
  'GET /api/v1/shares/smb': readers,
  'POST /api/v1/shares/smb': operators(404, { name: 'data', dataset: 'tank/absent' }),
  'GET /api/v1/shares/smb/{id}': { ...lost, nobody: 401 },
  'PUT /api/v1/shares/smb/{id}': operators(404, {}),
  'DELETE /api/v1/shares/smb/{id}': operators(404),
  'GET /api/v1/exports/nfs': readers,
  'POST /api/v1/exports/nfs': operators(404, { dataset: 'tank/absent' }),
  'GET /api/v1/exports/nfs/{id}': { ...lost, nobody: 401 },
  'PUT /api/v1/exports/nfs/{id}': operators(404, {}),
  'DELETE /api/v1/exports/nfs/{id}': operators(404),
  // There is no such target; and nothing is made on whatever machine this runs on.
  'GET /api/v1/iscsi/targets': readers,
  'POST /api/v1/iscsi/targets': operators(400, {}),
  'GET /api/v1/iscsi/targets/{id}': { ...lost, nobody: 401 },
  'PUT /api/v1/iscsi/targets/{id}': operators(404, {}),
  'DELETE /api/v1/iscsi/targets/{id}': operators(404),
  'POST /api/v1/iscsi/targets/{id}/luns': operators(404, { zvol: 'tank/volume' }),
  'POST /api/v1/iscsi/targets/{id}/luns/remove': operators(404, { lun_id: 0 }),
  // There is no pool here: who may, is told so.
  'GET /api/v1/datasets': readers,
  'POST /api/v1/datasets': operators(404, { name: 'tank/made' }),
  'GET /api/v1/datasets/{name*}': { ...lost, nobody: 401 },
  'PUT /api/v1/datasets/{name*}': operators(404, { options: { atime: 'off' } }),
  'DELETE /api/v1/datasets/{name*}': operators(404),
  'GET /api/v1/zvols': readers,
  'POST /api/v1/zvols': operators(404, { name: 'tank/made', size: '16M' }),
  'GET /api/v1/zvols/{name*}': { ...lost, nobody: 401 },
  'PUT /api/v1/zvols/{name*}': operators(404, { size: '32M' }),
  'DELETE /api/v1/zvols/{name*}': operators(404),
  'GET /api/v1/snapshots': readers,
  'POST /api/v1/snapshots': operators(404, { dataset: 'tank/data', name: 'made' }),
  'POST /api/v1/snapshots/remove': operators(404, { names: ['tank/data@none'] }),
  'GET /api/v1/snapshots/{name*}': { ...lost, nobody: 401 },
  'DELETE /api/v1/snapshots/{name*}': operators(404),
  'POST /api/v1/snapshots/{name*}/rollback': operators(404),
  'GET /api/v1/snapshot-policies': readers,
  'POST /api/v1/snapshot-policies': operators(404, { dataset: 'tank/data', hourly: 1 }),
  'GET /api/v1/snapshot-policies/{dataset*}': { ...lost, nobody: 401 },
  'PUT /api/v1/snapshot-policies/{dataset*}': operators(404, { hourly: 2 }),
  'DELETE /api/v1/snapshot-policies/{dataset*}': operators(404),
  'GET /api/v1/snapshot-policies/{dataset*}/preview': { ...lost, nobody: 401 },
  'GET /healthz': everyone(200),
  'GET /metrics': readers,
  'GET /api/v1/dashboard': readers,
  'GET /api/v1/maintenance': readers,
  'PUT /api/v1/maintenance': administrators(200, { enabled: false }),
  'GET /api/v1/openapi.json': everyone(200),
}
