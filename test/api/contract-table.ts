// What the document promises for each of its curl lines, keyed by method, path and form. The lines run in the
// document's order on one appliance, so an expectation may rely on what the lines before it did.
import { expect } from 'vitest'

export interface Seen {
  status: number
  headers: Record<string, string>
  body: Buffer
}

export interface Expectation {
  status: number
  headers: Record<string, string>
  /** The exact text, or a check of it. */
  body: string | ((body: Buffer) => void)
  /** Files that stand for the document's placeholders. */
  files?: Record<string, string>
}

const JSON_ = { 'content-type': 'application/json' }
const TEXT = { 'content-type': 'text/plain', 'cache-control': 'no-cache' }
const FRESH = { ...JSON_, 'cache-control': 'no-cache' }
const download = (name: string, type = 'application/octet-stream') => ({
  'content-type': type,
  'cache-control': 'max-age=1',
  'content-disposition': `attachment; filename="${name}"`,
})
const accepted = (name: string, files: Record<string, string> = {}): Expectation => ({
  status: 202,
  headers: { ...JSON_, location: `/api/v1/admin/${name}` },
  body: `{"Status":"202 Accepted","Location":"/api/v1/admin/${name}"}`,
  files,
})
const done: Expectation = { status: 200, headers: JSON_, body: '{"Status":"200 OK"}' }

/** The members in the document's order. */
export const keys =
  (...names: string[]) =>
  (body: Buffer) =>
    expect(Object.keys(JSON.parse(body.toString()))).toEqual(names)

const SETTINGS = {
  network: {
    interface: 'eth0',
    hostname: 'test.host',
    ip_address: '192.168.1.100',
    netmask: '255.255.255.0',
    gateway: '192.168.1.1',
    dns1: '192.168.1.2',
    dns2: '192.168.1.3',
    ntpserver: 'pool.ntp.org',
  },
  app: { name: 'testapp' },
}
const STORAGE = {
  storage: { type: 'nfs', mount_options: 'noacl,sync', ip: '192.168.1.100', share: '/nfs/storage' },
}
/** Documents that stand for `[settings.json]`: which one, the path says. */
export const DOCUMENTS = { settings: SETTINGS, storage: STORAGE }

export const LICENSE = {
  app: 'enterprise',
  users: 20,
  expires: '19 January 2038',
  name: 'Enterprise Company',
  contact: 'cto@enterprise',
}
const license: Expectation = { status: 200, headers: JSON_, body: JSON.stringify(LICENSE) }

export const CONTRACT: Record<string, Expectation> = {
  'POST /setup newtoken': done,
  'POST /update update': accepted('update'),
  'GET /update': {
    status: 200,
    headers: JSON_,
    body(body) {
      const status = JSON.parse(body.toString())
      expect(Object.keys(status).slice(0, 3)).toEqual(['status', 'percentage', 'log'])
      expect(status.log).toContain('[SYSTEM] ')
    },
  },
  'GET /update/log': {
    status: 200,
    headers: TEXT,
    body: (body) => expect(body.toString()).toMatch(/^\[\d+\]\[SYSTEM\] Updating system\. Please wait\.\.\n/),
  },
  'GET /logs': {
    status: 200,
    headers: download('logs.tar.gz'),
    body: (body) => expect(body.subarray(0, 2).toString('hex')).toBe('1f8b'),
  },
  'GET /debug': {
    status: 200,
    headers: download('debug-bundle.tar'),
    body: (body) => expect(body.subarray(257, 262).toString()).toBe('ustar'),
  },
  'GET /reboot': accepted('reboot'),
  'GET /services': {
    status: 200,
    headers: JSON_,
    body: '{"services":[{"jidoteki-admin-api":"running"},{"sample-app":"running"}]}',
  },
  'GET /version': {
    status: 200,
    headers: JSON_,
    body: (body) => expect(body.toString()).toMatch(/^\{"version":"[^"]+"\}$/),
  },
  'GET /changelog': { status: 200, headers: TEXT, body: (body) => expect(body.toString()).toMatch(/^# Changelog\n/) },
  'GET /build': {
    status: 200,
    headers: FRESH,
    body: (body) => expect(JSON.parse(body.toString())).toEqual({ builddate: expect.stringMatching(/^\d+$/) }),
  },
  'GET /health': {
    status: 200,
    headers: FRESH,
    body(body) {
      keys('disk', 'memory', 'cpu')(body)
      const { disk, memory, cpu } = JSON.parse(body.toString())
      expect([Object.keys(disk), Object.keys(memory), Object.keys(cpu)]).toEqual([
        ['used', 'total', 'percentage'],
        ['used', 'total', 'percentage'],
        ['num', 'load', 'cpu5min'],
      ])
      expect(disk.total).toMatch(/^[\d.]+[BKMGTP]$/)
      expect(cpu.load).toMatch(/^\d+\.\d\d, \d+\.\d\d, \d+\.\d\d$/)
    },
  },
  'GET /endpoints': {
    status: 200,
    headers: JSON_,
    body: JSON.stringify({
      endpoints: [
        ...[
          'backup build certs changelog debug endpoints health license logs reboot services settings setup storage update',
          'version',
        ]
          .join(' ')
          .split(' ')
          .map((name) => `/api/v1/admin/${name}`),
        '/docs',
      ],
    }),
  },
  'POST /settings settings': accepted('settings'),
  'GET /settings': {
    status: 200,
    headers: JSON_,
    // `mode` is what the original adds in front (facts 5.3).
    body: JSON.stringify({ network: { mode: 'static', ...SETTINGS.network }, app: SETTINGS.app }),
  },
  'POST /certs public private ca': accepted('certs'),
  'GET /certs': {
    status: 200,
    headers: JSON_,
    body(body) {
      keys('status', 'log')(body)
      expect(JSON.parse(body.toString()).status).toBe('success')
    },
  },
  'POST /license license': license,
  'GET /license': license,
  'POST /storage settings': accepted('storage'),
  'GET /storage': {
    status: 200,
    headers: FRESH,
    body: JSON.stringify({ ...STORAGE, options: ['local', 'nfs', 'aoe', 'iscsi', 'nbd'] }),
  },
  'POST /backup action': accepted('backup'),
  'POST /backup/restore archive': done,
}

/** Answers that the document shows without a curl line. */
export const SHOWN: Record<string, Expectation> = {
  'GET /backup': {
    status: 200,
    headers: FRESH,
    body(body) {
      keys('status', 'filesize', 'sha256')(body)
      expect(JSON.parse(body.toString())).toEqual({
        status: 'success',
        filesize: expect.stringMatching(/^[\d.]+[KMG]$/),
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      })
    },
  },
  'GET /backup/download': {
    status: 200,
    // The document says octet-stream; the original sends this (facts 5).
    headers: download('backup.tar', 'application/x-tar'),
    body: (body) => expect(body.subarray(257, 262).toString()).toBe('ustar'),
  },
  'GET /backup/log': {
    status: 200,
    headers: TEXT,
    body: (body) =>
      expect(body.toString()).toMatch(/\[SYSTEM\] Starting backup\n[\s\S]*Created file: .*hash: [0-9a-f]{64}\n/),
  },
}
