// Scripts that read their fault from a file each time they start. The environment that a server gives its scripts is fixed when it starts, so
// without this each row of a fault table would need a server.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Folders } from '../../src/folders.ts'
import { installation, REPOSITORY, temporaryFolder } from './appliance.ts'

/** Wrappers in `folder` for the scripts of `scripts`; `file` is shell text within double quotes. */
export function layFaultScripts(folder: string, file: string, scripts = join(REPOSITORY, 'scripts')): void {
  for (const name of readdirSync(scripts).filter((found) => found.endsWith('.sh')))
    writeFileSync(
      join(folder, name),
      `#!/bin/sh\nEDGE_FAULT=$(cat "${file}" 2>/dev/null) exec '${join(scripts, name)}' "$@"\n`,
      { mode: 0o755 },
    )
}

let laid: string | undefined
/** The installation for `startServer({ installed })` whose scripts fail as `setFault` says, for any number of servers. */
export function faultyInstallation(): string {
  if (laid) return laid
  const folder = temporaryFolder()
  cpSync(installation(), folder, { recursive: true })
  rmSync(join(folder, 'scripts'), { recursive: true })
  mkdirSync(join(folder, 'scripts'))
  layFaultScripts(join(folder, 'scripts'), '$EDGE_ROOT/fault', join(installation(), 'scripts'))
  laid = folder
  return folder
}

/** Lets the scripts of the appliance fail at a checkpoint from their next start on (`update-started=kill`), until this is called without one. */
export const setFault = ({ root }: Folders, fault = ''): void => writeFileSync(join(root, 'fault'), fault)

/** Reads every file below the root except what the server writes itself; the function that it returns puts them back. */
export function remember({ root }: Folders): () => void {
  const own = ['state', 'log', 'tmp', 'fault'].map((name) => join(root, name))
  const filesIn = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true })
      .map((found) => ({ found, path: join(folder, found.name) }))
      .filter(({ path }) => !own.includes(path))
      .flatMap(({ found, path }) => (found.isDirectory() ? filesIn(path) : [path]))
  const before = new Map(filesIn(root).map((path) => [path, readFileSync(path)]))
  return () => {
    for (const path of filesIn(root)) if (!before.has(path)) rmSync(path)
    for (const [path, content] of before)
      if (!existsSync(path) || !readFileSync(path).equals(content)) writeFileSync(path, content)
  }
}
