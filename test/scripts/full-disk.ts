// Run by full-disk.test.ts, with TMPDIR on a small tmpfs: each work on an appliance there with so many free pages, from
// none on, until it comes to its end. So each of its writes is once the first that fails. Prints what was wrong, as
// JSON. Tmpfs takes a page only when it is written, so the filler is written, too.
import { closeSync, openSync, readFileSync, rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Appliance, installation, shells } from './harness.ts'
import { endsOf, environment, judge, WORKS } from './works.ts'

const [kind = '', name = '', first = '0', stride = '1'] = process.argv.slice(2)
const work = WORKS[kind]!
const shell = shells().find((one) => one.name === name)!
const PAGE = 4096
const MOST = 400

/** Leaves so many pages of the disk free; answers what gives the rest back. */
function fill(pages: number): () => void {
  const filler = join(tmpdir(), 'filler')
  const fd = openSync(filler, 'w')
  const { bavail, bsize } = statfsSync(tmpdir())
  const chunk = Buffer.alloc(1 << 20)
  for (let left = bavail * bsize - pages * PAGE; left > 0; left -= chunk.length)
    writeSync(fd, chunk, 0, Math.min(left, chunk.length))
  closeSync(fd)
  return () => rmSync(filler)
}

// A backup leaves some of the disk free; here somebody else has taken that meanwhile.
const backup = join(installation(), 'scripts/backup.sh')
writeFileSync(backup, readFileSync(backup, 'utf8').replace('KEPT_FREE=16384', 'KEPT_FREE=-16384'))

const ends = await endsOf(kind, () => new Appliance(shell))
const faults: Record<string, string[]> = {}
const seen: string[] = []
for (let pages = Number(first); pages < MOST; pages += Number(stride)) {
  const box = new Appliance(shell)
  work.lay(box)
  const id = box.create(kind, work.args, work.inputs?.())
  const empty = fill(pages)
  const exit = await box.act(id, 'run', environment(box))
  empty()
  await box.act(id, 'recover', environment(box))
  const { status } = box.status(id)
  seen.push(status)
  const wrong = await judge(box, kind, id, ends)
  if (wrong.length > 0) faults[`${pages} free pages, exit ${exit}`] = wrong
  rmSync(box.folder, { recursive: true })
  if (status === 'completed' && exit === 0) break
}
process.stdout.write(
  JSON.stringify({ faults, failed: seen.filter((one) => one !== 'completed').length, last: seen.at(-1) }),
)
