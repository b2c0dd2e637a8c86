// Lays the stand-ins for the original's backend (install.sh) onto an appliance of a test, and reads what they were asked for.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
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

/**
 * The tool of an image that runs from memory: `-c DEVICE` copies these files to a disk, `-r DEVICE` lays links to the copies in their place.
 * Each call is a line of `PREFIX/tool.log`. The device's name is in the file as boot scripts write it.
 */
export function layMemoryTool(
  prefix: string,
  files: string[],
  device = 'sda1/',
): { disk: string; calls: () => string[] } {
  const disk = join(prefix, 'mnt')
  const tool = join(prefix, 'usr/bin/symlinktool.sh')
  for (const folder of [dirname(tool), join(prefix, 'etc/sysconfig'), disk]) mkdirSync(folder, { recursive: true })
  writeFileSync(join(prefix, 'etc/sysconfig/backup_device'), device)
  const script = `#!/bin/sh
[ "$(id -u)" = ${process.getuid?.() ?? 0} ] || { echo 'must be root'; exit 1; }
echo "$*" >>'${prefix}/tool.log'
[ ! -e '${prefix}/tool-fails' ] || { echo 'the disk is gone'; exit 1; }
for file in ${files.map((name) => `'${name}'`).join(' ')}; do
  [ -e "$file" ] || continue
  copy='${disk}/'$2$file
  case $1 in
    -c) mkdir -p "\${copy%/*}" && { [ "$file" -ef "$copy" ] || cp -pL "$file" "$copy"; } || exit 1 ;;
    -r) ln -snf "$copy" "$file" || exit 1 ;;
  esac
done
`
  writeFileSync(tool, script)
  chmodSync(tool, 0o755)
  return { disk, calls: () => lines(join(prefix, 'tool.log')) }
}
