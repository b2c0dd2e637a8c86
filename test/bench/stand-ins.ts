// Programs that print what was prepared, as fast as `cat` does: the fakes of the tests are node programs, and their
// start would be all that a benchmark sees. They look at nothing but their first argument; what nobody prepared they
// answer with nothing.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface StandIns {
  programs: string
  /** What was started so far, in one line each. */
  calls: () => string[]
}

/** `answers`: by program and first argument, parted by a blank. */
export function prepare(folder: string, answers: Record<string, string>): StandIns {
  const programs = join(folder, 'programs')
  const log = join(folder, 'calls')
  mkdirSync(programs, { recursive: true })
  writeFileSync(log, '')
  for (const name of new Set(Object.keys(answers).map((key) => key.split(' ')[0] ?? ''))) {
    const cases = Object.entries(answers)
      .map(([key, text], i) => ({ key, text, file: join(folder, `answer-${i}`) }))
      .filter(({ key }) => key.startsWith(`${name} `))
    for (const { file, text } of cases) writeFileSync(file, text)
    const lines = cases.map(({ key, file }) => `'${key.slice(name.length + 1)}') exec cat '${file}' ;;`)
    const script = `#!/bin/sh\necho "${name} $*" >>'${log}'\ncase $1 in\n${lines.join('\n')}\nesac\n`
    writeFileSync(join(programs, name), script, { mode: 0o755 })
  }
  return { programs, calls: () => readFileSync(log, 'utf8').split('\n').filter(Boolean) }
}
