// Lays the stand-ins for the original's backend (install.sh) onto an appliance of a test, and reads what they were asked for.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Folders } from '../../../src/folders.ts'

const SOURCES = dirname(fileURLToPath(import.meta.url))

export interface Original {
  /** For `wrapper` in the configuration. */
  wrapper: string
  /** Stands before /tmp, /usr/bin/symlinktool.sh and /etc/sysconfig: `EDGE_NETROOT` for the scripts. */
  prefix: string
  /** `VERB NUMBER-OF-ARGUMENTS [ARGUMENT]` of each call, and `refused: …` of each that the original's server would not make. */
  calls: () => string[]
}

export function layOriginal({ root, sysconf, data }: Pick<Folders, 'root' | 'sysconf' | 'data'>): Original {
  const prefix = join(root, 'machine')
  execFileSync('sh', [join(SOURCES, 'install.sh'), root, sysconf, data, prefix])
  return {
    wrapper: join(root, 'bin/wrapper.sh'),
    prefix,
    calls: () => lines(join(root, 'log/original-calls.log')),
  }
}

const lines = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [])

export interface MemoryTool {
  disk: string
  calls: () => string[]
  /** The machine goes down and comes up: what was in memory is gone, and the tool lays its links. */
  boot: () => void
}

/**
 * The tool of an image that runs from memory: `-c DEVICE` copies those of these files that are there to a disk, with a list of them and nothing else;
 * `-r DEVICE` lays links to what is in that list. A copy that left the list stays on the disk, as with the published symlinktool.sh (0.3, 0.5).
 * Each call is a line of `PREFIX/tool.log`. The device's name is in the file as boot scripts write it.
 */
export function layMemoryTool(prefix: string, files: string[], device = 'sda1/'): MemoryTool {
  const disk = join(prefix, 'mnt')
  const tool = join(prefix, 'usr/bin/symlinktool.sh')
  for (const folder of [dirname(tool), join(prefix, 'etc/sysconfig'), disk]) mkdirSync(folder, { recursive: true })
  writeFileSync(join(prefix, 'etc/sysconfig/backup_device'), device)
  const script = `#!/bin/sh
[ "$(id -u)" = ${process.getuid?.() ?? 0} ] || { echo 'must be root'; exit 1; }
echo "$*" >>'${prefix}/tool.log'
[ ! -e '${prefix}/tool-fails' ] || { echo 'the disk is gone'; exit 1; }
list='${disk}/'$2.lst
case $1 in
  -c)
    for file in ${files.map((name) => `'${name}'`).join(' ')}; do
      [ -e "$file" ] || continue
      copy='${disk}/'$2$file
      mkdir -p "\${copy%/*}" && { [ "$file" -ef "$copy" ] || cp -pL "$file" "$copy"; } || exit 1
      echo "$file"
    done >"$list"
    ;;
  -r)
    while read -r file; do
      mkdir -p "\${file%/*}" && ln -snf '${disk}/'"$2$file" "$file" || exit 1
    done <"$list"
    ;;
esac
`
  writeFileSync(tool, script)
  chmodSync(tool, 0o755)
  const boot = () => {
    for (const file of files) rmSync(file, { force: true })
    execFileSync(tool, ['-r', device.replace('/', '')])
  }
  return { disk, calls: () => lines(join(prefix, 'tool.log')), boot }
}
