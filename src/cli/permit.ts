// `edge-admin permit TASKFOLDER DATASET FOLDER`: the work of dataset-permissions.sh, which needs descriptors that a shell
// does not have. For scripts, not for people: no --help. Standard output is the progress: percent, a blank, words.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { permitTree } from '../features/permissions/permit.ts'
import type { Io } from './command.ts'

/** Exit status: 0 done, 1 not done or not everywhere (`said` in the task's folder says why), 64 wrong use. */
export async function permit(args: string[], { stdout, stderr, env }: Io): Promise<number> {
  const [task, dataset, folder] = args
  if (args.length !== 3 || !task || !dataset || !folder?.startsWith('/')) {
    stderr.write('usage: edge-admin permit TASKFOLDER DATASET FOLDER\n')
    return 64
  }
  const end = await permitTree({
    input: readFileSync(join(task, 'input/permissions'), 'utf8'),
    reached: join(task, 'reached'),
    dataset,
    folder,
    // Only in tests; lib.sh drops it under sudo.
    programs: env['EDGE_PATH']?.split(':', 1)[0] || undefined,
    progress: (percent, words) => stdout.write(`${percent} ${words}\n`),
    remark: (words) => stderr.write(`${words}\n`),
  })
  writeFileSync(join(task, 'said'), `${end.words}\n`)
  return end.whole ? 0 : 1
}
