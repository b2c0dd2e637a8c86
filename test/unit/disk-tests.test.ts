// When the self-tests of disks were last started, as it is kept.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DiskTests } from '../../src/features/disks/test-schedule.ts'

let state: string
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'disk-tests-'))
})
afterEach(() => rmSync(state, { recursive: true, force: true }))

it('a disk whose ID is too long for the file keeps no other out of it', () => {
  const tests = new DiskTests({ state })
  const long = 'x'.repeat(256)
  tests.started(long, 'short', 1)
  tests.started('sda', 'long', 2)
  tests.started('sda', 'short', 3)
  expect([tests.startsOf(long), tests.startsOf('sda')]).toMatchObject([{ short: 1 }, { short: 3, long: 2 }])
  // Another server knows what the file holds.
  const again = new DiskTests({ state })
  expect(again.startsOf(long)).toEqual({})
  expect(again.startsOf('sda')).toMatchObject({ short: 3, long: 2 })
})
