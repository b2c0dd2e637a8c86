// `tsx place.ts FOLDER [--disks]`: the fake programs for a shell script (the demo, `make run FAKES=1`). It prints where they are; they know
// their world by themselves. With `--disks` a new world gets twelve disks, as a machine to try things out on has: eight of 4 TB, four of 512 MiB.
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { installFakes } from './install.ts'

const DISKS = [...Array<number>(8).fill(4e12), ...Array<number>(4).fill(512 * 2 ** 20)]

const [folder, disks] = process.argv.slice(2)
if (folder === undefined) throw new Error('a folder is needed')
const { programs, folder: world, model, change } = installFakes(resolve(folder), 'alone')
// Mount points are real folders, so that permissions of datasets can be tried, too.
const mounts = join(world, 'mounts')
mkdirSync(mounts, { recursive: true })
// What somebody did with them the last time stays.
if (disks === '--disks' && Object.keys(model().disks).length === 0)
  change((now) => {
    now.mounts = mounts
    for (const [i, size] of DISKS.entries())
      now.disks[`/dev/fake${i + 1}`] = { size, links: [`/dev/disk/by-id/fake-DISK${i + 1}`] }
  })
process.stdout.write(`programs=${programs}\nexports=${join(world, 'exports.d')}\n`)
