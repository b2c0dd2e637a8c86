// When storage is loaded, and what happens when it cannot be: recovery and snapshot policies must not depend on a request.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { hostStorage, type StorageHostOptions } from '../../src/appliance/storage-host.ts'

const loadLater = vi.hoisted(() => vi.fn())
vi.mock('../../src/loaded-later.ts', () => ({ loadLater }))

const part = () => ({
  recoverShares: vi.fn(),
  restoreShareAccounts: vi.fn(),
  restoreTargets: vi.fn(),
  restoreProperties: vi.fn(),
  scheduler: { start: vi.fn() },
  close: vi.fn(),
})
const host = () =>
  hostStorage({ isNeeded: true, config: { privilege: 'none' }, tool: {} } as unknown as StorageHostOptions)

let storage: ReturnType<typeof part>
beforeEach(() => {
  vi.useFakeTimers()
  storage = part()
  loadLater.mockReset()
  loadLater.mockRejectedValueOnce(new Error('EMFILE')).mockResolvedValue({ createStorage: () => storage })
})
afterEach(() => {
  vi.useRealTimers()
})

it('is tried again without a request, and then recovers and runs the policies', async () => {
  const { recover, runPolicies } = host()
  recover()
  await expect(runPolicies()).rejects.toThrow('EMFILE')
  await vi.advanceTimersByTimeAsync(60_000)
  expect(storage.restoreTargets).toHaveBeenCalledTimes(1)
  expect(storage.scheduler.start).toHaveBeenCalledTimes(1)
})

it('runs the policies once a request has loaded it', async () => {
  const hosted = host()
  hosted.recover()
  await expect(hosted.runPolicies()).rejects.toThrow('EMFILE')
  await hosted.needed?.()
  expect(storage.recoverShares).toHaveBeenCalledTimes(1)
  expect(storage.scheduler.start).toHaveBeenCalledTimes(1)
})

it('runs nothing once the server has stopped', async () => {
  const hosted = host()
  hosted.recover()
  await expect(hosted.runPolicies()).rejects.toThrow('EMFILE')
  hosted.close()
  await vi.advanceTimersByTimeAsync(600_000)
  await hosted.needed?.()
  expect(storage.recoverShares).not.toHaveBeenCalled()
  expect(storage.scheduler.start).not.toHaveBeenCalled()
})
