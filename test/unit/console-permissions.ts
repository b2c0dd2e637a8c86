// Who may do what through the console's cookie: the tables, as data, written by hand on purpose (SEC-06, SEC-30). An
// endpoint that appears in the code and not here fails the test.

/** The least role for each endpoint of the admin surface that is not open: with token or hash everybody is the administrator. */
export const ADMIN_ROLES: Record<string, 'viewer' | 'administrator' | 'set-up'> = {
  'POST /api/v1/admin/setup': 'set-up',
  'POST /api/v1/admin/update': 'administrator',
  'GET /api/v1/admin/update': 'viewer',
  'GET /api/v1/admin/update/log': 'viewer',
  'GET /api/v1/admin/logs': 'administrator',
  'GET /api/v1/admin/debug': 'administrator',
  'GET /api/v1/admin/reboot': 'administrator',
  'POST /api/v1/admin/reboot': 'administrator',
  'GET /api/v1/admin/version': 'viewer',
  'GET /api/v1/admin/changelog': 'viewer',
  'GET /api/v1/admin/build': 'viewer',
  'GET /api/v1/admin/build/sbom': 'viewer',
  'GET /api/v1/admin/health': 'viewer',
  'GET /api/v1/admin/services': 'viewer',
  'GET /api/v1/admin/endpoints': 'viewer',
  'POST /api/v1/admin/settings': 'administrator',
  'GET /api/v1/admin/settings': 'administrator',
  'POST /api/v1/admin/storage': 'administrator',
  'GET /api/v1/admin/storage': 'administrator',
  'POST /api/v1/admin/certs': 'administrator',
  'GET /api/v1/admin/certs': 'viewer',
  'POST /api/v1/admin/license': 'administrator',
  'GET /api/v1/admin/license': 'viewer',
  'POST /api/v1/admin/backup': 'administrator',
  'GET /api/v1/admin/backup': 'viewer',
  'GET /api/v1/admin/backup/download': 'administrator',
  'GET /api/v1/admin/backup/log': 'viewer',
  'POST /api/v1/admin/backup/restore': 'administrator',
}

const open = { nobody: 200, known: 200 }
const viewers = (known = 200) => ({ nobody: 401, known })

/** `METHOD path` of the console → what a stranger gets, and whoever is signed in, of whatever role; with the body to send. */
export const CONSOLE: Record<string, { nobody: number; known: number; json?: unknown }> = {
  'GET /': open,
  'GET /docs': open,
  'GET /console/app.js': open,
  'GET /console/app.css': open,
  'GET /console/icon.svg': open,
  'GET /console/session': open,
  'POST /console/session': { nobody: 401, known: 401, json: { username: 'unknown', password: 'unknown' } },
  'DELETE /console/session': viewers(),
  'POST /console/first-run': { nobody: 409, known: 409, json: { token: 'x' } },
  'GET /console/overview': viewers(),
  'GET /console/certificate': viewers(404),
  'GET /console/tasks': viewers(),
  'GET /console/tasks/{id}': viewers(404),
  'GET /console/tasks/{id}/events': viewers(404),
  'GET /console/events': viewers(),
  'POST /console/settings/check': { nobody: 401, known: 400, json: { network: {}, app: {} } },
}
