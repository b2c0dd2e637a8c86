// `edge-admin swap in DIR BASE [FILE]`, `edge-admin swap keep DIR PATH...` and `edge-admin swap back DIR`: multi-file
// transactions for the scripts (src/store/file-transaction.ts). For scripts, not for people: no --help. With --contents
// after `in` or `keep`, the targets of links are kept too. FILE lists folders that nothing may be put into, one per
// line. A list that cannot be read must not count as empty.
import { readFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { swapBack, swapIn, swapKeep } from '../store/file-transaction.ts'

/** Exit status: 0 done, 1 not done (with one line on standard error), 64 wrong use. */
export async function swap(given: string[]): Promise<number> {
  const contents = given[1] === '--contents' && given[0] !== 'back'
  const args = contents ? given.toSpliced(1, 1) : given
  const [verb, dir, base, closed] = args
  try {
    if (verb === 'in' && args.length <= 4 && dir && base && isAbsolute(dir) && isAbsolute(base)) {
      swapIn(dir, base, {
        contents,
        closed: closed ? readFileSync(closed, 'utf8').split('\n').filter(Boolean) : [],
        // For the task's log. Quoted: a name may contain a line break.
        tell: (path, change) => console.log(`${change} ${JSON.stringify(path)}`),
      })
    } else if (verb === 'keep' && args.length > 2 && args.slice(1).every(isAbsolute))
      swapKeep(dir as string, args.slice(2), { contents })
    else if (verb === 'back' && args.length === 2 && dir && isAbsolute(dir)) swapBack(dir)
    else {
      console.error(
        'usage: edge-admin swap in [--contents] DIR BASE [FILE] | swap keep [--contents] DIR PATH... | swap back DIR (absolute paths)',
      )
      return 64
    }
    return 0
  } catch (error) {
    console.error(
      `edge-admin swap ${verb}: ${String(error instanceof Error ? error.message : error).split('\n', 1)[0]}`,
    )
    return 1
  }
}
