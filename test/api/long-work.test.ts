// SEC-36: long work leaves everybody else their turns. What is asserted is that others were answered while it ran, and that it came to its
// right end; how many milliseconds that took is measured by `make bench`.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { DEPTH, screenArchive } from '../../src/features/backup/archive.ts'
import { AuditChain } from '../../src/store/audit/chain.ts'
import { indexFile, listSegments } from '../../src/store/audit/segments.ts'
import { END, header } from '../unit/tar-builder.ts'
import { type InProcess, startAppliance } from './appliance.ts'
import { call } from './client.ts'
import { addCaller, ask, ON } from './controller.ts'
import { newTaskId, putTask } from './task-files.ts'

// On a busy machine the others take most of the time that work leaves them.
vi.setConfig({ testTimeout: 300_000 })

const ENTRIES = 6000
const TASKS = 1000
const AUDITED = 20_000
const BIG = 8 << 20
/** A client that asks again as soon as it was answered gets more than this from work in slices; from work in one piece two at most, one before and one after it. */
const TURNS = 2
/** The client may lose its turns to other programs while a short piece of work runs. Work in one piece gives it none however often it is tried. */
const TRIES = 5

let appliance: InProcess
let bearer: string
let archive: Buffer
beforeAll(async () => {
  appliance = await startAppliance({
    config: { ...ON.config, endpoints: ['backup'] },
    checkResponses: false,
    prepare(folders) {
      const chain = new AuditChain({
        folder: join(folders.state, 'audit'),
        keyFile: join(folders.state, 'audit.key'),
        size: 1 << 30,
        segment: 1 << 17,
        failed: (error) => {
          throw error
        },
      })
      for (let i = 0; i < AUDITED; i++)
        chain.append({ actor: 'user-1', action: 'pools.create', resource: `pools/p${i}`, result: 'success' })
      chain.close()
    },
  })
  // A path that nothing has: all endpoints are loaded, or the first health check would wait for them.
  await call(appliance.url, 'GET', '/nowhere')
  bearer = (await addCaller(appliance.folders, 'administrator')).token
  for (let i = 0; i < TASKS; i++) putTask(appliance.folders, newTaskId(), 'completed')
  writeFileSync(join(appliance.folders.root, 'home/sftp/uploads/backup.tar'), Buffer.alloc(BIG))
  archive = Buffer.concat([...Array.from({ length: ENTRIES }, (_, i) => header({ name: `data/${i}` })), END])
}, 120_000)
afterAll(() => appliance?.close())

/** How many health checks were answered, one after the other, while the work ran. */
async function answeredDuring(work: Promise<unknown>): Promise<number> {
  let running = true
  let count = 0
  const done = work.finally(() => {
    running = false
  })
  const asking = (async () => {
    while (running) {
      const { status } = await call(appliance.url, 'GET', '/healthz')
      if (running && status === 200) count += 1
    }
  })()
  await done
  await asking
  return count
}

const works: Record<string, () => Promise<void>> = {
  async 'screening an archive that comes in one piece'() {
    const limits = { entries: ENTRIES * 2, bytes: 1, depth: DEPTH }
    expect(await screenArchive(Readable.from([archive]), limits)).toEqual({ entries: ENTRIES, bytes: 0 })
  },
  async 'looking through the whole audit log for what is not there'() {
    const segments = listSegments(join(appliance.folders.state, 'audit'))
    expect(segments.length).toBeGreaterThan(8)
    // As after an upgrade: each segment is read whole.
    for (const segment of segments) rmSync(indexFile(segment), { force: true })
    const { status, json } = await ask(appliance.url, 'GET', '/api/v1/audit?actor=nobody-of-this-name', { bearer })
    expect([status, json]).toEqual([200, []])
  },
  async 'listing a thousand jobs'() {
    const { status, json } = await ask(appliance.url, 'GET', '/api/v1/jobs', { bearer })
    expect([status, json.length]).toEqual([200, TASKS])
  },
  async 'sending a big file'() {
    const { status, bytes } = await appliance.call('GET', '/backup/download')
    expect([status, bytes.length]).toEqual([200, BIG])
  },
}

describe('SEC-36 others are answered', () => {
  // A quick machine lists a thousand jobs, which is the most that one answer has, in fewer slices than can be told from one piece.
  const long = Object.entries(works).filter(([what]) => what !== 'listing a thousand jobs')
  for (const [what, work] of long)
    it(`while ${what}`, async () => {
      let most = 0
      for (let i = 0; i < TRIES && most <= TURNS; i++) most = Math.max(most, await answeredDuring(work()))
      expect(most).toBeGreaterThan(TURNS)
    })

  it('while all of it goes on side by side, and each comes to its end', async () => {
    expect(await answeredDuring(Promise.all(Object.values(works).map((work) => work())))).toBeGreaterThan(TURNS)
  })
})
