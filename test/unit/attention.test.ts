// What needs somebody: each fact, from both sides of its line. An appliance in order has to leave the list empty, or
// nobody reads it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { ServedCertificate } from '../../src/features/certs/served.ts'
import type { Finding } from '../../src/features/check/finding.ts'
import { attention, type Facts } from '../../src/features/console-overview/attention.ts'
import { isRefusal } from '../../src/features/jobs/refusal.ts'
import type { JobView } from '../../src/features/jobs/view.ts'
import type { Folders } from '../../src/folders.ts'

const NOW = Date.parse('2026-06-15T12:00:00Z')
const DAY = 86_400_000
const at = (days: number) => new Date(NOW + days * DAY).toISOString()
const certificate = (begin: number, end: number): ServedCertificate => ({
  subject: 'CN=a',
  issuer: 'CN=a',
  names: ['a'],
  not_before: at(begin),
  not_after: at(end),
  days_left: Math.floor(end),
  fingerprint256: '00',
  self_signed: true,
  key: 'RSA 2048',
})
const pool = (more: object = {}) => ({
  ...{ name: 'tank', health: 'ONLINE', size: 1000, allocated: 899, free: 101 },
  ...more,
})
const task = (type: string, status: JobView['status'], days: number, more: object = {}): JobView => ({
  ...{ id: `${type}-${days}`, type, status, progress: 0, message: 'the last step' },
  ...{ created_at: at(-days), completed_at: at(-days), ...more },
})
const FINE: Facts = {
  now: NOW,
  pools: [pool()],
  disks: [{ id: 'ata-A', name: 'sda (S1)', failing: false, problems: [] }],
  missedScrubs: [],
  disk: 89.9,
  certificate: certificate(-100, 30),
  tasks: [task('update', 'completed', 0)],
  oneTime: false,
  problems: [],
  unserved: [],
  services: [{ name: 'sample-app', running: true }],
  findings: [],
}
const found = (facts: Partial<Facts>) => attention({ ...FINE, ...facts })
const short = (facts: Partial<Facts>) => found(facts).map(({ severity, subject, link }) => [severity, subject, link])

describe('a refusal', () => {
  const root = mkdtempSync(join(tmpdir(), 'edge-refusal-'))
  afterAll(() => rmSync(root, { recursive: true }))
  const folders = { state: root } as Folders
  let last = 0
  function refused(code: string, by: string, ...files: string[]): boolean {
    const id = `20260101T000000${String(++last).padStart(3, '0')}Z-0000`
    mkdirSync(join(root, 'tasks', id), { recursive: true })
    writeFileSync(join(root, 'tasks', id, 'request.json'), JSON.stringify({ args: ['tank/d', 'x'], by: { name: by } }))
    for (const file of files) writeFileSync(join(root, 'tasks', id, file), '')
    const more = { progress: 0, message: '', created_at: at(0), error: { code, message: 'no' } }
    return isRefusal(folders, { id, kind: 'snapshot-create', status: 'failed', ...more })
  }

  it('is what somebody asked for and heard, and not what the scheduler has tried in vain', () => {
    for (const code of ['INVALID', 'NOT_FOUND', 'CONFLICT', 'E1001'])
      expect([code, refused(code, 'operator'), refused(code, 'system')]).toEqual([code, true, false])
    for (const code of ['BUSY', 'CANCELLED']) expect([code, refused(code, 'system')]).toEqual([code, true])
    expect([refused('E1000', 'operator'), refused('E1000', 'operator', 'refused')]).toEqual([false, true])
  })

  it('is not what had changed something before it was refused', () => {
    expect([refused('CONFLICT', 'operator', 'in-part'), refused('NOT_FOUND', 'operator', 'in-part')]).toEqual([
      false,
      false,
    ])
  })
})

describe('attention', () => {
  it('is for what a check finds wrong, and not for its notes or what is told already', () => {
    const finding = (id: string, level: Finding['level']) => ({ id, level, subject: id, message: 'm', mend: 'd' })
    const findings = [
      finding('lists.ok', 'ok'),
      finding('ports.loopback', 'note'),
      finding('certificate.ended', 'error'),
    ]
    expect(found({ findings })).toEqual([])
    expect(short({ findings: [finding('lists.missing', 'warning'), finding('certificate.no-key', 'error')] })).toEqual([
      ['error', 'certificate.no-key', '#/certificates'],
      ['warning', 'lists.missing', ''],
    ])
  })

  it('names a disk that fails, one to watch, a hot one, and a scrub that was missed', () => {
    const disk = { id: 'ata-A/b', name: 'sda (S1)', failing: false, problems: [] }
    const told = (more: Partial<Facts>) =>
      attention({ ...FINE, ...more }).map((one) => [one.severity, one.subject, one.message, one.link])
    const problems = ['2 sectors cannot be read now', 'more']
    expect(told({ disks: [{ ...disk, failing: true, problems: ['The disk expects to fail soon'] }] })).toEqual([
      ['error', 'Disk sda (S1)', 'The disk expects to fail soon', '#/disks/ata-A%2Fb'],
    ])
    expect(told({ disks: [{ ...disk, problems, hot: 61 }] })).toEqual([
      ['warning', 'Disk sda (S1)', '2 sectors cannot be read now', '#/disks/ata-A%2Fb'],
      ['warning', 'Disk sda (S1)', 'It is 61 °C warm', '#/disks/ata-A%2Fb'],
    ])
    expect(told({ missedScrubs: ['tank'] })).toEqual([
      ['warning', 'Pool tank', 'Its scheduled scrub was missed', '#/pools/tank'],
    ])
  })

  it('is nobody’s while everything is in order', () => {
    expect(attention(FINE)).toEqual([])
    expect(found({ pools: [], disk: undefined, certificate: undefined, tasks: [], services: [] })).toEqual([])
  })

  it('is drawn by pools that are not as they should be, and leads to each', () => {
    expect(short({ pools: [pool({ health: 'DEGRADED' })] })).toEqual([['error', 'Pool tank', '#/pools/tank']])
    for (const health of ['FAULTED', 'OFFLINE', 'UNAVAIL', 'REMOVED', 'SUSPENDED'])
      expect(short({ pools: [pool({ name: 'a:b', health })] })).toEqual([['error', 'Pool a:b', '#/pools/a%3Ab']])
  })

  it('is drawn by a pool with damaged data, also when all its disks are well', () => {
    expect(short({ pools: [pool({ damaged: true })] })).toEqual([['error', 'Pool tank', '#/pools/tank']])
    expect(found({ pools: [pool({ damaged: true, health: 'DEGRADED' })] })).toHaveLength(2)
    expect(found({ pools: [pool({ damaged: false })] })).toEqual([])
  })

  it('is drawn by a disk that fills up, sooner than it is full', () => {
    const use = (allocated: number) => short({ pools: [pool({ allocated })] })[0]?.[0]
    expect([899, 900, 969, 970].map(use)).toEqual([undefined, 'warning', 'warning', 'error'])
    expect([89.9, 90, 96.9, 97].map((disk) => short({ disk })[0]?.[0])).toEqual([
      undefined,
      'warning',
      'warning',
      'error',
    ])
    expect(found({ pools: [pool({ size: 0, allocated: 0, health: 'ONLINE' })] })).toEqual([])
    expect(found({ disk: 93.7 })[0]?.message).toBe('93 % of its space is used')
  })

  it('is drawn by a certificate before it ends, when it has, and when it is not valid yet', () => {
    const told = (begin: number, end: number) => {
      const [first] = found({ certificate: certificate(begin, end) })
      return [first?.severity, first?.message, first?.link]
    }
    expect(told(-1, 29.9)).toEqual(['warning', 'It expires in 29 days', '#/certificates'])
    expect(told(-1, 1.5)).toEqual(['warning', 'It expires in 1 day', '#/certificates'])
    expect(told(-1, 0.5)).toEqual(['warning', 'It expires within a day', '#/certificates'])
    expect(told(-9, -1)).toEqual(['error', 'It expired on 2026-06-14', '#/certificates'])
    expect(told(-9, 0)[0]).toBe('error')
    expect(told(1, 400)).toEqual(['error', 'It is not valid before 2026-06-16', '#/certificates'])
  })

  it('is drawn by the last task of a kind that failed, until one succeeds or a week is over', () => {
    const failed = task('update', 'failed', 2, { error: 'E1005: wrong signature' })
    expect(found({ tasks: [failed] })).toEqual([
      {
        severity: 'warning',
        subject: 'Task update',
        message: 'The last one failed: E1005: wrong signature',
        mend: 'Read its log, check which version is installed now, and upload the package again.',
        link: '#/tasks/update-2',
      },
    ])
    expect(short({ tasks: [task('backup', 'failed', 1), failed, task('update', 'failed', 3)] })).toEqual([
      ['warning', 'Task backup', '#/tasks/backup-1'],
      ['warning', 'Task update', '#/tasks/update-2'],
    ])
    expect(short({ tasks: [task('update', 'running', 0), failed] })).toHaveLength(1)
    expect(found({ tasks: [task('update', 'completed', 1), failed] })).toEqual([])
    expect(found({ tasks: [task('update', 'cancelled', 1), failed] })).toEqual([])
    expect(short({ tasks: [task('update', 'failed', 6.9)] })).toHaveLength(1)
    expect(found({ tasks: [task('update', 'failed', 7)] })).toEqual([])
    expect(found({ tasks: [task('update', 'failed', 2)] })[0]?.message).toBe('The last one failed: the last step')
  })

  it('is not drawn by what was only refused, which hides no failure before it either', () => {
    const refused = task('update', 'failed', 0, { refused: true, error: 'software update package is too old' })
    expect(found({ tasks: [refused] })).toEqual([])
    expect(short({ tasks: [refused, task('update', 'failed', 1)] })).toEqual([
      ['warning', 'Task update', '#/tasks/update-1'],
    ])
    expect(found({ tasks: [refused, task('update', 'completed', 1), task('update', 'failed', 2)] })).toEqual([])
  })

  it('is drawn first by the pools, the worst of them before all', () => {
    const pools = [pool({ name: 'a', health: 'DEGRADED', allocated: 990 }), pool({ name: 'b', health: 'SUSPENDED' })]
    expect(short({ pools, disk: 99, tasks: [task('backup', 'failed', 1)] })).toEqual([
      ['error', 'Pool b', '#/pools/b'],
      ['error', 'Pool a', '#/pools/a'],
      ['error', 'Pool a', '#/pools/a'],
      ['error', 'Data disk', '#/support'],
      ['warning', 'Task backup', '#/tasks/backup-1'],
    ])
  })

  it('is drawn by services that cannot be asked', () => {
    expect(short({ services: undefined })).toEqual([['warning', 'Services', '#/support']])
  })

  it('is drawn by the one-time password, by services that stopped and by what could not be asked or is not served; errors come first', () => {
    const problems = [{ source: 'pools', message: 'zpool is not installed' }]
    const services = [{ name: 'sample-app', running: false }]
    const unserved = [{ source: 'iscsi', message: 'iqn.x does not serve LUN 0' }]
    expect(short({ oneTime: true, problems, unserved, services, disk: 99 })).toEqual([
      ['error', 'Data disk', '#/support'],
      ['warning', 'Account admin', '#/account'],
      ['warning', 'Service sample-app', '#/support'],
      ['warning', 'Storage: pools', '#/pools'],
      ['warning', 'Storage: iscsi', '#/iscsi'],
    ])
    for (const { message, mend } of found({
      oneTime: true,
      problems,
      unserved,
      services,
      disk: 99,
      pools: [pool({ health: 'X' })],
    }))
      expect([message.length > 5, /^[A-Z].*\.$/.test(mend)]).toEqual([true, true])
  })
})
