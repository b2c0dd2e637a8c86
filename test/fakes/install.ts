// Puts the fake programs into a folder of a test's own. They are shell wrappers with every path written into them,
// since whoever starts them (the server, a task script) gives them a clean environment.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Called, changeModel, type Model, readCalls, readModel } from './model.mjs'

const SOURCES = dirname(fileURLToPath(import.meta.url))

export interface Fault {
  program: string
  /** A pattern for the arguments, joined by blanks. Default: every call. */
  match?: string
  /** Only the n-th such call from now on, counted from 1. Default: every one. */
  nth?: number
  /** Strikes in place of the work, or after it was done. */
  when?: 'before' | 'after'
  stdout?: string
  stderr?: string
  status?: number
  hang?: boolean
  /** kill -9 of the program itself, or of who started it as well. */
  kill?: 'self' | 'parent'
}

export interface Fakes {
  /** The folder to look for programs in first. */
  programs: string
  /** Where the model lies. */
  folder: string
  model: () => Model
  change: <T>(change: (model: Model) => T) => T
  calls: () => Called[]
  /** Lets these faults strike from now on, in place of those before. */
  faults: (...faults: Fault[]) => void
}

let started: string | undefined
/** The folder of the process that answers for the fakes (resident.mjs); it ends with this one. */
function resident(): string {
  if (started) return started
  const folder = mkdtempSync(join(tmpdir(), 'edge-admin-fakes-'))
  execFileSync('mkfifo', [join(folder, 'requests')])
  const child = spawn(process.execPath, [join(SOURCES, 'resident.mjs'), folder], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  child.unref()
  ;(child.stdin as Socket).unref()
  started = folder
  return folder
}

/** Those that read their standard input. */
const inputOf = (name: string) =>
  name === 'lio'
    ? '[ "$1" != apply ] || cat >"$call.input"\n'
    : /^(?:smbpasswd|setfacl)$/.test(name)
      ? 'cat >"$call.input"\n'
      : ''

/** A program that leaves its call to the resident. Descriptors 5 and 6: a task script has its lock on 9, and this program keeps it. */
const client = (folder: string, world: string, name: string) => `#!/bin/sh
call='${folder}'/$$
exec 5<>'${folder}/requests'
printf '%s\\0' '${world}' '${name}' "$@" >"$call.argv"
${inputOf(name)}mkfifo "$call.reply" 2>/dev/null || [ -p "$call.reply" ] || exit 127
exec 6<>"$call.reply"
echo $$ >&5
read -r answered <&6
. "$call.answer"
`

/** A program that is a Node process for each call, for those who end before their fakes do. */
const alone = (world: string, name: string) =>
  `#!/bin/sh\nEDGE_FAKES='${world}' exec '${process.execPath}' '${join(SOURCES, name)}' "$@"\n`

export function installFakes(folder: string, kind: 'resident' | 'alone' = 'resident'): Fakes {
  const programs = join(folder, 'programs')
  const world = join(folder, 'world')
  for (const made of [programs, world, join(world, 'root')]) mkdirSync(made, { recursive: true })
  // /dev and /sys of this world: the fake lsblk lays them from the model.
  if (!existsSync(join(programs, 'root'))) symlinkSync(join(world, 'root'), join(programs, 'root'))
  const served = kind === 'resident' ? resident() : undefined
  for (const found of readdirSync(SOURCES, { withFileTypes: true })) {
    const { name } = found
    if (!found.isFile() || name.includes('.')) continue
    writeFileSync(join(programs, name), served ? client(served, world, name) : alone(world, name), { mode: 0o755 })
  }
  return {
    programs,
    folder: world,
    model: () => readModel(world),
    change: (change) => changeModel(world, change),
    calls: () => readCalls(world),
    faults(...faults) {
      const since = readCalls(world).length
      // The call that asks is noted already, so counting from 1 is counting it in.
      writeFileSync(join(world, 'faults.json'), JSON.stringify(faults.map((fault) => ({ ...fault, since }))))
      if (faults.length === 0) rmSync(join(world, 'faults.json'))
    },
  }
}
