// Tests through the API, for parts of the source: what a mutation run asks when the tests of units noticed nothing.
const ADMIN = ['test/api/security.test.ts', 'test/api/bad-input.test.ts', 'test/api/contract.test.ts']
const CONTROLLER = ['test/api/controller-accounts.test.ts', 'test/api/controller-adversary.test.ts']

export const SLOW: Record<string, string[]> = {
  'src/auth/back-off': ['test/api/security.test.ts', 'test/api/controller-accounts.test.ts'],
  'src/auth/token': ['test/api/security.test.ts', 'test/api/signed-requests.test.ts', 'test/api/contract.test.ts'],
  'src/auth/console-sessions': ['test/api/console-session.test.ts', 'test/api/console-guard.test.ts'],
  'src/auth/': [
    ...CONTROLLER,
    'test/api/console-session.test.ts',
    'test/api/console-first-run.test.ts',
    'test/api/security.test.ts',
  ],
  'src/http/idempotency': ['test/api/idempotency.test.ts'],
  'src/http/request-limit': ['test/api/request-limit.test.ts'],
  'src/http/resource': ['test/api/controller-versions.test.ts'],
  'src/http/': [
    ...ADMIN,
    ...CONTROLLER,
    'test/api/adversary.test.ts',
    'test/api/events.test.ts',
    'test/api/docs.test.ts',
    'test/api/console-static.test.ts',
    'test/api/idempotency.test.ts',
  ],
  'src/store/audit': ['test/api/controller-audit.test.ts'],
  'src/store/': ['test/api/concurrency.test.ts', 'test/api/controller-audit.test.ts', 'test/scripts/restore.test.ts'],
  'src/tasks/': [
    'test/api/controller-jobs.test.ts',
    'test/api/concurrency.test.ts',
    'test/api/adversary.test.ts',
    'test/api/console-tasks.test.ts',
    'test/scripts/kill.test.ts',
    'test/scripts/locks.test.ts',
  ],
  'src/drivers/zpool': ['test/api/storage-pools.test.ts', 'test/api/storage-pools-faults.test.ts'],
  'src/drivers/zfs': [
    'test/api/storage-datasets.test.ts',
    'test/api/storage-snapshots.test.ts',
    'test/api/storage-zvols.test.ts',
  ],
  'src/drivers/lio': ['test/api/storage-iscsi.test.ts', 'test/api/storage-iscsi-faults.test.ts'],
  'src/drivers/s': ['test/api/storage-smb.test.ts', 'test/api/storage-shares-faults.test.ts'],
  'src/drivers/nfs': ['test/api/storage-nfs.test.ts'],
  'src/drivers/exports': ['test/api/storage-nfs.test.ts'],
  'src/drivers/lsblk': ['test/api/storage-pools.test.ts'],
  'src/drivers/': ['test/api/storage-faults.test.ts', 'test/api/storage-dashboard.test.ts'],
}
