// The fake zfs against what the real one refused: the same words, the same exit status. The situations are those of the
// recording script (test/appliance/record/zfs.sh), made again with the fake.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { type Fakes, installFakes } from '../fakes/install.ts'
import { recorded } from '../harness/recorded.ts'

const root = mkdtempSync(join(tmpdir(), 'edge-fakes-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let fakes: Fakes
let count = 0
const run = (program: string, ...args: string[]) =>
  spawnSync(join(fakes.programs, program), args, { encoding: 'utf8', timeout: 30_000 })
const good = (line: string) => {
  const [program = '', ...args] = line.split(' ')
  expect(run(program, ...args)).toMatchObject({ status: 0, stderr: '' })
}

beforeEach(() => {
  fakes = installFakes(join(root, String(++count)))
  fakes.change((model) => {
    model.disks['/dev/disk/by-id/virtio-VMRIGDISK06'] = { size: 2 ** 31 }
  })
  good('zpool create -O compression=lz4 recz /dev/disk/by-id/virtio-VMRIGDISK06')
  good('zfs create -o edge-admin:id=ds-1 recz/data')
  good('zfs create -o quota=64M -o recordsize=1M recz/data/anna')
  good('zfs create -V 64M recz/vol')
  for (const label of ['one', 'two', 'three']) good(`zfs snapshot recz/data/anna@${label}`)
})

/** What is before each recorded refusal. */
const REFUSALS: Record<string, string[]> = {
  'clone-exists': ['zfs clone recz/data/anna@two recz/clone'],
  'clone-no-such-snapshot': [],
  'create-exists': [],
  'create-exists-volume': [],
  'create-name-character': [],
  'create-name-dots': [],
  'create-name-empty': [],
  'create-name-snapshot': [],
  'create-name-trailing': [],
  'create-parent-is-volume': [],
  'create-parent-missing': [],
  'create-pool-missing': [],
  'create-property-mountpoint': [],
  'create-property-of-volume': [],
  'create-property-quota': [],
  'create-property-readonly': [],
  'create-property-recordsize': [],
  'create-property-unknown': [],
  'create-property-value': [],
  'create-reservation-too-big': [],
  'create-volume-blocksize': [],
  'create-volume-size': [],
  'create-volume-too-big': [],
  'destroy-has-clones': ['zfs clone recz/data/anna@two recz/clone'],
  'destroy-has-clones-dry': ['zfs clone recz/data/anna@two recz/clone'],
  'destroy-held': ['zfs hold keep recz/data/anna@one'],
  'destroy-no-such-dataset': [],
  'destroy-no-such-snapshot': ['zfs destroy recz/data/anna@one'],
  'destroy-pool-root': [],
  'get-no-such-dataset': [],
  'hold-again': ['zfs hold keep recz/data/anna@one'],
  'hold-no-such-snapshot': [],
  'inherit-readonly': [],
  'list-filesystems-of-volume': [],
  'list-no-such-dataset': [],
  'list-no-such-pool': [],
  'list-volumes-of-filesystem': [],
  'promote-not-a-clone': [],
  'release-no-such-tag': [],
  'rename-exists': ['zfs create recz/deep'],
  'rollback-no-such-snapshot': [],
  'set-no-such-dataset': [],
  'set-readonly': [],
  'set-unknown': [],
  'set-value': [],
  'set-volsize-odd': [],
  'set-volsize-too-big': [],
  'snapshot-exists': [],
}

describe('the fake zfs', () => {
  test.for(Object.entries(REFUSALS))('refuses as the real one: %s', ([name, before]) => {
    for (const line of before) good(line)
    const real = recorded(`zfs-2.3.9/${name}`)
    const { status, stdout, stderr } = run('zfs', ...real.command.split(' ').slice(1))
    expect({ status, stdout, stderr }).toEqual({ status: real.status, stdout: real.stdout, stderr: real.stderr })
  })
})
