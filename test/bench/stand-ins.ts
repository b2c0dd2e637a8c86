// Programs that print what was prepared, as fast as `cat` does: the fakes of the tests are node programs, and their
// start would be all that a benchmark sees. They look at nothing but their first arguments; what nobody prepared they
// answer with nothing.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The property that our zfs driver asks for last has another number each time; in `answers` it has this name. */
export const LAST = 'edge-admin:end-LAST'
export const withLast = (text: string) => text.replaceAll(/edge-admin:end-[0-9a-f]+/g, LAST)
const NUMBER = `args="$*" last=
case $args in *edge-admin:end-*)
  last=\${args##*edge-admin:end-}
  rest=\${last#* }
  last=\${last%% *}
  if [ "$rest" = "$last" ]; then rest=; else rest=" $rest"; fi
  args="\${args%edge-admin:end-*}${LAST}$rest" ;;
esac`

export interface StandIns {
  programs: string
  /** What was started so far, in one line each. */
  calls: () => string[]
}

/** `answers`: by program and first arguments, parted by blanks; the longer ones count first. */
export function prepare(folder: string, answers: Record<string, string>): StandIns {
  const programs = join(folder, 'programs')
  const log = join(folder, 'calls')
  mkdirSync(programs, { recursive: true })
  writeFileSync(log, '')
  for (const name of new Set(Object.keys(answers).map((key) => key.split(' ')[0] ?? ''))) {
    const cases = Object.entries(answers)
      .map(([key, text], i) => ({ key, text, file: join(folder, `answer-${i}`) }))
      .filter(({ key }) => key.startsWith(`${name} `))
      .sort((a, b) => b.key.length - a.key.length)
    for (const { file, text } of cases) writeFileSync(file, text)
    const lines = cases.map(({ key, file }) => {
      const args = quoted(key.slice(name.length + 1))
      const print = key.includes(LAST) ? `exec sed "s/${LAST}/edge-admin:end-$last/"` : 'exec cat'
      return `${args}|${args}' '*) ${print} '${file}' ;;`
    })
    const script = `#!/bin/sh\necho "${name} $*" >>'${log}'\n${NUMBER}\ncase $args in\n${lines.join('\n')}\nesac\n`
    writeFileSync(join(programs, name), script, { mode: 0o755 })
  }
  return { programs, calls: () => readFileSync(log, 'utf8').split('\n').filter(Boolean) }
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
