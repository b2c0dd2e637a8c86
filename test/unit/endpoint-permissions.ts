// Who may call what: the whole table, as data. It is written by hand on purpose. An endpoint that appears in the code
// and not here fails the test, so that nobody opens a door without having thought about it (SEC-06).

/** What a caller without valid credentials gets: refused (403), served, or whatever set-up decides. */
export type Door = 'closed' | 'open' | 'set-up'

/** `METHOD path` → its door, and the status that a right credential gets when nothing else is sent. */
export const PERMISSIONS: Record<string, { door: Door; right: number }> = {
  'POST /api/v1/admin/setup': { door: 'set-up', right: 400 },
  'POST /api/v1/admin/update': { door: 'closed', right: 400 },
  'GET /api/v1/admin/update': { door: 'closed', right: 200 },
  'GET /api/v1/admin/update/log': { door: 'closed', right: 404 },
  'GET /api/v1/admin/logs': { door: 'closed', right: 200 },
  'GET /api/v1/admin/debug': { door: 'closed', right: 200 },
  'GET /api/v1/admin/reboot': { door: 'closed', right: 202 },
  'POST /api/v1/admin/reboot': { door: 'closed', right: 202 },
  'GET /api/v1/admin/version': { door: 'closed', right: 200 },
  'GET /api/v1/admin/changelog': { door: 'closed', right: 200 },
  'GET /api/v1/admin/build': { door: 'closed', right: 200 },
  'GET /api/v1/admin/build/sbom': { door: 'closed', right: 200 },
  'GET /api/v1/admin/health': { door: 'closed', right: 200 },
  'GET /api/v1/admin/services': { door: 'closed', right: 200 },
  'GET /api/v1/admin/endpoints': { door: 'closed', right: 200 },
  'GET /api/v1/admin/openapi.json': { door: 'open', right: 200 },
  'POST /api/v1/admin/settings': { door: 'closed', right: 400 },
  'GET /api/v1/admin/settings': { door: 'closed', right: 404 },
  'POST /api/v1/admin/storage': { door: 'closed', right: 400 },
  'GET /api/v1/admin/storage': { door: 'closed', right: 404 },
  'POST /api/v1/admin/certs': { door: 'closed', right: 400 },
  'GET /api/v1/admin/certs': { door: 'closed', right: 200 },
  'POST /api/v1/admin/license': { door: 'closed', right: 400 },
  'GET /api/v1/admin/license': { door: 'closed', right: 404 },
  'POST /api/v1/admin/backup': { door: 'closed', right: 400 },
  'GET /api/v1/admin/backup': { door: 'closed', right: 404 },
  'GET /api/v1/admin/backup/download': { door: 'closed', right: 404 },
  'GET /api/v1/admin/backup/log': { door: 'closed', right: 404 },
  'POST /api/v1/admin/backup/restore': { door: 'closed', right: 400 },
  'GET /': { door: 'open', right: 200 },
  'GET /docs': { door: 'open', right: 200 },
  'GET /docs/API.html': { door: 'open', right: 200 },
  'GET /docs/ui.css': { door: 'open', right: 200 },
}
