// Disk, memory and processor use over time, from texts of the kernel. A processor's numbers are sums since the boot.
import { describe, expect, it } from 'vitest'
import { memoryUse, processorTicks } from '../../src/drivers/proc.ts'
import { diskUse, KEPT, UseHistory } from '../../src/features/console-overview/history.ts'
import { temporaryFolder } from '../api/appliance.ts'

describe('the kernel’s numbers', () => {
  it('are read as the kernel means them', () => {
    expect(memoryUse('MemTotal:        1000 kB\nMemFree:  10 kB\nMemAvailable:     250 kB\n')).toBe(75)
    for (const text of ['MemTotal: 1000 kB\n', 'MemAvailable: 1 kB\n', 'MemTotal: 0 kB\nMemAvailable: 0 kB\n'])
      expect(memoryUse(text)).toBeUndefined()
    // What guests used is in the first two already.
    expect(processorTicks('cpu  10 20 30 400 50 6 7 8 5 5\ncpu0 1 1 1 1 1 1 1 1 0 0\n')).toEqual({
      total: 531,
      busy: 81,
    })
    const now = processorTicks()
    expect([now.busy > 0, now.total > now.busy, (memoryUse() ?? 0) > 0]).toEqual([true, true, true])
  })

  it('tell how full a file system is', async () => {
    const used = await diskUse(temporaryFolder())
    expect([used >= 0, used <= 100]).toEqual([true, true])
    await expect(diskUse('/no/such/folder')).rejects.toThrow()
  })
})

describe('the history', () => {
  it('keeps an hour, the oldest first, and takes one sample at a time', async () => {
    let now = NOW
    const history = new UseHistory(temporaryFolder(), () => now)
    history.start()
    await Promise.all([history.sample(), history.sample(), history.sample()])
    expect(history.all()).toHaveLength(1)
    const { at, ...use } = history.all()[0] ?? {}
    expect(at).toBe(new Date(NOW).toISOString())
    expect(Object.keys(use)).toEqual(['disk', 'memory', 'cpu'])
    for (const value of Object.values(use)) expect([Number(value) >= 0, Number(value) <= 100]).toEqual([true, true])
    for (let i = 1; i <= KEPT + 5; i++) {
      now = NOW + i * 30_000
      await history.sample()
    }
    history.close()
    expect([history.all().length, history.all()[0]?.at]).toEqual([KEPT, new Date(NOW + 6 * 30_000).toISOString()])
  })

  it('has a gap where nothing can be measured', async () => {
    const history = new UseHistory('/no/such/folder')
    await history.sample()
    expect(history.all()).toEqual([])
  })
})

const NOW = Date.parse('2026-06-15T12:00:00Z')
