// What the fakes of the tests answer, kept and printed again by programs that are as quick as `cat`: an appliance of any
// size whose answers fit together, without the time that a fake takes.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readlinkSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type Fakes, installFakes } from '../fakes/install.ts'
import type { Appliance } from './appliance.ts'
import { read, serveController } from './controller.ts'
import { stop } from './processes.ts'
import { prepare, withLast } from './stand-ins.ts'

/**
 * The folder of such programs. `paths` of the API are asked once, to see what is started for them. `grow` makes more of
 * what `zfs` says of one dataset or snapshot: the fakes are slow with thousands of snapshots.
 */
export async function record(
  appliance: Appliance,
  folder: string,
  lay: (fakes: Fakes) => void,
  paths: readonly string[],
  grow: (lines: string[]) => string[],
): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const fakes = installFakes(join(folder, 'fakes'))
  lay(fakes)
  const before = fakes.calls().length
  const server = await serveController(appliance, { programs: fakes.programs })
  for (const path of paths) await read(server, path)
  await stop(server.child)
  const answers: Record<string, string> = {}
  for (const { program, args } of fakes.calls().slice(before)) {
    const line = withLast([program, ...args].join(' '))
    if (answers[line] !== undefined) continue
    const { stdout } = spawnSync(join(fakes.programs, program), args, { encoding: 'utf8' })
    answers[line] = withLast(program === 'zfs' ? byName(stdout).flatMap(grow).join('\n') : stdout)
  }
  const { programs } = prepare(folder, answers)
  symlinkSync(readlinkSync(join(fakes.programs, 'root')), join(programs, 'root'))
  return programs
}

/** The lines of each dataset or snapshot, which stand together. */
function byName(text: string): string[][] {
  const found: { name: string; lines: string[] }[] = []
  for (const line of text.split('\n')) {
    const name = line.split('\t', 1)[0] ?? ''
    const last = found.at(-1)
    if (last?.name === name) last.lines.push(line)
    else found.push({ name, lines: [line] })
  }
  return found.map(({ lines }) => lines)
}
