// How often all disks run their self-tests, and when each test was last started. Two files in the state folder hold this,
// because a disk cannot store it.
import { join } from 'node:path'
import * as z from 'zod'
import type { Folders } from '../../folders.ts'
import { checkpoint } from '../../store/checkpoint.ts'
import { FileStore } from '../../store/file-store.ts'
import { EVERY, type Every } from '../snapshots/upkeep.ts'
import type { TestType } from './self-test.ts'

export type TestSchedule = Record<TestType, Every>

const Schedule = z.strictObject({ name: z.literal('all'), short: z.enum(EVERY), long: z.enum(EVERY) })
const Started = z.strictObject({ disk: z.string().max(255), short: z.int().optional(), long: z.int().optional() })

/** Disks that are remembered; those that have been away longest are dropped. */
const MOST = 2000

export class DiskTests {
  private readonly schedules: FileStore<z.infer<typeof Schedule>>
  private readonly starts: FileStore<z.infer<typeof Started>>
  /** Starts that could not be stored: without them, a full disk would have the same test started again each time. */
  private readonly unsaved = new Map<string, { short?: number; long?: number }>()

  constructor(folders: Pick<Folders, 'state'>) {
    this.schedules = new FileStore({
      file: join(folders.state, 'disk-tests.json'),
      schema: Schedule,
      keyOf: ({ name }) => name,
      damaged: 'skip',
      soleWriter: true,
    })
    this.starts = new FileStore({
      file: join(folders.state, 'disk-tests-begun.json'),
      schema: Started,
      keyOf: ({ disk }) => disk,
      damaged: 'skip',
      soleWriter: true,
    })
  }

  schedule(): TestSchedule {
    const [{ short, long } = { short: 'never' as const, long: 'never' as const }] = this.schedules.all()
    return { short, long }
  }

  /** On the disk when it returns. What is left out stays. */
  change(wanted: { [Name in TestType]?: Every | undefined }): TestSchedule {
    const before = this.schedule()
    const next = { short: wanted.short ?? before.short, long: wanted.long ?? before.long }
    this.schedules.changeNow((all) => all.splice(0, all.length, { name: 'all', ...next }))
    return next
  }

  /** Milliseconds since 1970. */
  startsOf(disk: string): { short?: number | undefined; long?: number | undefined } {
    return { ...this.starts.all().find((one) => one.disk === disk), ...this.unsaved.get(disk) }
  }

  started(disk: string, type: TestType, time: number): void {
    this.unsaved.set(disk, { ...this.unsaved.get(disk), [type]: time })
    checkpoint('disk-test-started')
    // One with an ID that is too long for the file is remembered here alone, and keeps no other out of it.
    const storable = [...this.unsaved].filter(([name]) => Started.shape.disk.safeParse(name).success)
    this.starts.changeNow((all) => {
      for (const [name, times] of storable) {
        const at = all.findIndex((one) => one.disk === name)
        const [before] = at < 0 ? [] : all.splice(at, 1)
        all.push({ ...before, disk: name, ...times })
      }
      all.splice(0, Math.max(0, all.length - MOST))
    })
    for (const [name] of storable) this.unsaved.delete(name)
  }
}
