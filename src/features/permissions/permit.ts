// A recursive change as its task does it: reads what is to be set, sets it everywhere, and says in one line how it went.
import { createAcl } from '../../drivers/acl.ts'
import { createTool } from '../../drivers/programs.ts'
import { parseJson } from '../../store/atomic.ts'
import { Plan } from './plan.ts'
import { applyToTree, counted, type Done, type TreeOptions } from './tree.ts'

interface Permit extends Pick<TreeOptions, 'folder' | 'reached' | 'progress' | 'remark'> {
  /** The plan, as JSON. */
  input: string
  dataset: string
  /** A folder of programs in place of the system's, for tests: then nothing is mounted. */
  programs: string | undefined
}

export async function permitTree({
  input,
  dataset,
  programs,
  ...options
}: Permit): Promise<{ words: string; whole: boolean }> {
  const done = await applyToTree({
    ...options,
    acl: createAcl(createTool(programs), { inSession: true }),
    plan: Plan.parse(parseJson(input)),
    dataset: programs === undefined ? dataset : undefined,
  })
  return { words: wordsFor(done), whole: done.refused === 0 && done.lost === 0 }
}

export function wordsFor({ count, refused, devices, skipped, lost }: Done): string {
  const left = [
    ...(refused > 0 ? [`${refused} could not be changed: the log names them`] : []),
    ...(lost > 0 ? [`${lost} folder${lost === 1 ? ' was' : 's were'} moved meanwhile: ask again`] : []),
    ...(devices > 0 ? [`${devices} device${devices === 1 ? ' was' : 's were'} left alone`] : []),
    ...(skipped > 0 ? [`${skipped} folder${skipped === 1 ? ' was' : 's were'} left out: the log says why`] : []),
  ]
  return [`${counted(count)} done`, ...left].join('; ')
}
