// Puts the fake programs into a folder of a test's own. They are shell wrappers with every path written into them,
// since whoever starts them (the server, a task script) gives them a clean environment.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
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

export function installFakes(folder: string): Fakes {
  const programs = join(folder, 'programs')
  const world = join(folder, 'world')
  for (const made of [programs, world]) mkdirSync(made, { recursive: true })
  for (const name of readdirSync(SOURCES).filter((found) => !found.includes('.'))) {
    const script = `#!/bin/sh\nEDGE_FAKES='${world}' exec '${process.execPath}' '${join(SOURCES, name)}' "$@"\n`
    writeFileSync(join(programs, name), script, { mode: 0o755 })
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
