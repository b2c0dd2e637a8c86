// The fake zpool against what the real one answered: the same situation, the same words, the same exit status. Names of
// devices are those of the recordings, so the model's disks are called like them.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it, test } from 'vitest'
import { type Fakes, installFakes } from '../fakes/install.ts'
import { recorded } from '../harness/recorded.ts'

const BY_ID = '/dev/disk/by-id'
const root = mkdtempSync(join(tmpdir(), 'edge-fakes-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let fakes: Fakes
let count = 0
const zpool = (...args: string[]) =>
  spawnSync(join(fakes.programs, 'zpool'), args, { encoding: 'utf8', timeout: 90_000 })
const good = (...args: string[]) => expect(zpool(...args)).toMatchObject({ status: 0, stderr: '' })

beforeEach(() => {
  fakes = installFakes(join(root, String(++count)))
  fakes.change((model) => {
    for (const name of ['virtio-VMRIGDISK06', 'virtio-VMRIGDISK07', 'wwn-0x5000000000000009'])
      model.disks[`${BY_ID}/${name}`] = { size: 2 ** 31 }
    model.disks[`${BY_ID}/virtio-root`] = { size: 2 ** 31, fstype: 'ext4', mountpoint: '/' }
    for (const name of ['f1', 'f2', 'f3', 'f4', 'f5', 'f6']) model.disks[`/var/tmp/rec/${name}`] = { size: 2 ** 27 }
    model.disks['/var/tmp/rec/big'] = { size: 2 ** 28 }
    model.disks['/var/tmp/rec/small'] = { size: 2 ** 25 }
    model.scrubStep = 0
  })
})

const reca = () =>
  good('create', '-o', 'ashift=12', 'reca', 'mirror', ...[6, 7].map((n) => `${BY_ID}/virtio-VMRIGDISK0${n}`))
const recb = () => {
  const file = (n: number) => `/var/tmp/rec/f${n}`
  good(
    'create',
    'recb',
    'raidz',
    file(1),
    file(2),
    file(3),
    'log',
    file(4),
    'cache',
    `${BY_ID}/wwn-0x5000000000000009`,
    'spare',
    file(5),
  )
}

/** A pool with every class; its files are larger. */
const recf = () => {
  fakes.change((model) => {
    for (let n = 1; n <= 20; n++) model.disks[`/var/tmp/rec/f${n}`] = { size: 2 ** 28 }
    model.disks['/var/tmp/rec/less'] = { size: 200 * 2 ** 20 }
  })
  const file = (n: number) => `/var/tmp/rec/f${n}`
  const data = ['raidz', file(1), file(2), file(3), 'log', file(4), 'cache', file(5), 'spare', file(6)]
  good('create', 'recf', ...data, 'special', 'mirror', file(7), file(8))
}

/** What is before each recorded refusal. */
const REFUSALS: Record<string, () => void> = {
  'attach-cache': recf,
  'attach-raidz-too-small': recf,
  'attach-spare': recf,
  'detach-group': recf,
  'detach-spare': recf,
  'offline-group': recf,
  'offline-spare': recf,
  'remove-cancel-none': recf,
  'remove-leaf': recf,
  'remove-no-such-device': recf,
  'remove-special': recf,
  'replace-sequential-raidz': recf,
  'replace-too-small-raidz': recf,
  'add-dry-run': recf,
  'create-device-in-use': reca,
  'create-device-in-use-forced': reca,
  'create-device-missing': () => {},
  'create-device-mounted': () => {},
  'create-device-of-exported-pool': () => {
    recb()
    good('export', 'recb')
  },
  'create-device-twice': () => {},
  'create-file-missing': () => {},
  'create-fs-property-unknown': () => {},
  'create-fs-property-value': () => {},
  'create-mirror-of-one': () => {},
  'create-mixed-replication-raidz': () => {},
  'create-mixed-sizes': () => {},
  'create-name-character': () => {},
  'create-name-digit': () => {},
  'create-name-reserved': () => {},
  'create-name-reserved-log': () => {},
  'create-name-slash': () => {},
  'create-name-taken': reca,
  'create-only-log': () => {},
  'create-property-readonly': () => {},
  'create-property-unknown': () => {},
  'create-property-value': () => {},
  'create-raidz-of-one': () => {},
  'create-raidz-unknown': () => {},
  'create-raidz2-of-two': () => {},
  'create-too-small': () => {},
  'destroy-no-such-pool': () => {},
  'export-no-such-pool': () => {},
  'import-by-id-none': () => {},
  'import-name-taken': () => {
    reca()
    recb()
    good('export', 'recb')
  },
  'import-no-such-pool': () => {},
  'list-no-such-pool': () => {},
  'offline-no-such-device': reca,
  'scrub-again': () => {
    reca()
    good('scrub', 'reca')
  },
  'scrub-cancel-none': reca,
  'scrub-no-such-pool': () => {},
  'scrub-pause-again': () => {
    reca()
    good('scrub', 'reca')
    good('scrub', '-p', 'reca')
  },
  'set-property-readonly': reca,
  'set-property-unknown': reca,
  'set-property-value': reca,
}

describe('the fake zpool', () => {
  test.for(Object.entries(REFUSALS))('refuses as the real one: %s', ([name, before]) => {
    before()
    const real = recorded(`zpool-2.3.9/${name}`)
    const { status, stdout, stderr } = zpool(...real.command.split(' ').slice(1))
    expect({ status, stdout, stderr }).toEqual({ status: real.status, stdout: real.stdout, stderr: real.stderr })
  })

  // What differs each time: sizes and times.
  const same = (text: string) =>
    text
      .replace(/[A-Z][a-z]{2} [A-Z][a-z]{2} +\d+ [\d:]{8} \d{4}/g, 'TIME')
      .replace(/\d[\d.]*[BKMGT]\b/g, 'SIZE')
      .replace(/id: \d+/, 'id: N')
  const shows = (name: string, ...args: string[]) =>
    expect(same(zpool(...args).stdout)).toBe(same(recorded(`zpool-2.3.9/${name}`).stdout))

  it('shows a pool as the real one: healthy, scrubbing, paused, cancelled, scrubbed, with a disk offline', () => {
    reca()
    shows('status-healthy', 'status', '-p', 'reca')
    good('scrub', 'reca')
    shows('status-scrubbing', 'status', '-p', 'reca')
    good('scrub', '-p', 'reca')
    shows('status-scrub-paused', 'status', '-p', 'reca')
    good('scrub', 'reca')
    good('scrub', '-s', 'reca')
    shows('status-scrub-cancelled', 'status', '-p', 'reca')
    good('offline', 'reca', 'virtio-VMRIGDISK06')
    shows('status-offline', 'status', '-p', 'reca')
    good('online', 'reca', 'virtio-VMRIGDISK06')
    good('scrub', '-w', 'reca')
    shows('status-scrubbed', 'status', '-p', 'reca')
  })

  it('shows a pool with every kind of device, and what could be imported, as the real one', () => {
    recb()
    shows('status-raidz', 'status', '-p', 'recb')
    good('export', 'recb')
    // The recording was made after its cache device had gone.
    fakes.change((model) => {
      for (const pool of Object.values(model.exported) as { vdevs: { section: string }[] }[])
        pool.vdevs = pool.vdevs.filter(({ section }) => section !== 'cache')
    })
    shows('import-list', 'import', '-d', '/var/tmp/rec')
  })
})
