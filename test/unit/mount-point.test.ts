// What a mount point would hide, on the folders and mounts of this machine.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { mounts } from '../../src/drivers/proc.ts'
import type { Zfs } from '../../src/drivers/zfs.ts'
import { refuseHiding } from '../../src/features/datasets/mount-point.ts'

const folder = mkdtempSync(join(tmpdir(), 'edge-admin-mount-point-'))
afterAll(() => rmSync(folder, { recursive: true }))
const none = { datasets: async () => {} } as unknown as Zfs

it('a folder that holds something is hidden, an empty one or none is not', async () => {
  mkdirSync(join(folder, 'full'))
  mkdirSync(join(folder, 'empty'))
  writeFileSync(join(folder, 'full/file'), '')
  const full = join(folder, 'full')
  await expect(refuseHiding(none, 'tank/a', full)).rejects.toMatchObject({
    kind: 'failed-precondition',
    message: `What is in the folder would be out of sight below ${full}`,
  })
  await refuseHiding(none, 'tank/a', join(folder, 'empty'))
  await refuseHiding(none, 'tank/a', join(folder, 'nothing'))
})

it('what is mounted there, or below, is hidden', async () => {
  await expect(refuseHiding(none, 'tank/a', '/proc')).rejects.toMatchObject({
    kind: 'failed-precondition',
    message: 'What is mounted at /proc would be out of sight below /proc',
  })
})

it('mounts are read with the octal of their blanks', () => {
  expect(mounts('tank/a /mnt/with\\040blank zfs rw 0 0\nproc /proc proc rw 0 0\n')).toEqual([
    { device: 'tank/a', place: '/mnt/with blank' },
    { device: 'proc', place: '/proc' },
  ])
})
