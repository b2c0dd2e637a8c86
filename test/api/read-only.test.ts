// A start on a disk that refuses to remove what a killed server left: the rest of the start goes on.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { startAppliance } from './appliance.ts'

const disk = vi.hoisted(() => ({ readOnly: true }))
vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>()
  const rmSync: typeof real.rmSync = (path, options) => {
    if (disk.readOnly && /incoming\/upload-/.test(String(path)))
      throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' })
    real.rmSync(path, options)
  }
  return { ...real, rmSync, default: { ...real, rmSync } }
})

it('warns of what it cannot remove, and does everything else', async () => {
  const appliance = await startAppliance({
    prepare({ root }) {
      mkdirSync(join(root, 'tmp/incoming'), { recursive: true })
      for (const name of ['upload-1', 'upload-2']) writeFileSync(join(root, 'tmp/incoming', name), '')
    },
  })
  try {
    expect(() => appliance.app.tidy()).not.toThrow()
    expect(
      appliance.warnings.join('\n').match(/an upload that was cut off cannot be removed: Error: EROFS/g),
    ).toHaveLength(2)
    expect(existsSync(join(appliance.folders.state, 'audit/checkpoint'))).toBe(true)
  } finally {
    disk.readOnly = false
    await appliance.close()
  }
})
