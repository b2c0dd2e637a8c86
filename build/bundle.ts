// The program as esbuild writes it: `main.js` and files beside it that are loaded when they are needed first. The build and the tests call this,
// so that what is tested is what ships.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build, type Metafile } from 'esbuild'
import { GLOBALS, lazy } from './lazy.ts'
import { type Files, merge } from './merge.ts'
import { trim } from './trim.ts'
import { zod } from './zod.ts'

/** What the scripts call: for these little is loaded. */
const CALLED_BY_SCRIPTS = ['swap', 'judge', 'take', 'screen', 'archive', 'plain'].map((name) => `src/cli/${name}.ts`)
const MAIN = 'src/main.ts'
const SERVE = 'src/cli/serve.ts'
const CHECK = /^src\/features\/check\/(watch|here)\.ts$/
/** A surface at the start; its other entries are loaded by the first request to it. */
const SURFACE = /^src\/surfaces\/(\w+)\/(assemble\.ts$)?/
/** Parts of the appliance that a surface needs. */
const NEEDS = { accounts: /^src\/appliance\/(accounts|sessions)\.ts$/, storage: /^src\/appliance\/storage\.ts$/ }

/** By which `edge-admin check` tells the scripts of this version from others. */
function digestsOfScripts(): Record<string, string> {
  const names = readdirSync('scripts').filter((name) => !['README.md', 'settings'].includes(name))
  const digest = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join('scripts', name)))
      .digest('hex')
  return Object.fromEntries(names.sort().map((name) => [name, digest(name)]))
}

const split = () =>
  build({
    absWorkingDir: join(import.meta.dirname, '..'),
    entryPoints: { main: MAIN },
    outdir: 'lib',
    chunkNames: '[name]-[hash]',
    write: false,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    // An appliance is Linux: what packages do on other systems falls away.
    define: { 'process.platform': '"linux"', EDGE_SCRIPTS: JSON.stringify(JSON.stringify(digestsOfScripts())) },
    // One character outside Latin-1, and V8 keeps the whole text in two bytes a character. Where esbuild may not escape it (String.raw), write another.
    charset: 'ascii',
    plugins: [lazy, trim, zod],
    inject: [GLOBALS],
    metafile: true,
    banner: { js: REQUIRE },
  })

/** busboy and pino are CommonJS and call `require`. */
const REQUIRE =
  "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);"

/** A `require` is a module of Node's own, with a list of folders: a start made one for each of sixty chunks. */
function withoutUnusedRequire(text: string): string {
  const rest = text.replace(`${REQUIRE}\n`, '')
  return /\brequire\b/.test(rest) ? text : rest
}

type Outputs = Record<string, Metafile['outputs'][string]>

/** The files that are put together, by the name of what they become: what a start loads, each surface, and what its first request loads. */
function layersOf(outputs: Outputs): [string, string[]][] {
  const entries = Object.entries(outputs).flatMap(([file, { entryPoint }]) =>
    entryPoint ? [{ file, entryPoint }] : [],
  )
  const below = (wanted: (entryPoint: string) => boolean) => {
    const found = new Set<string>()
    const follow = (file: string) => {
      if (found.has(file)) return
      found.add(file)
      for (const { path, kind, external } of outputs[file]?.imports ?? [])
        if (kind === 'import-statement' && !external) follow(basename(path))
    }
    for (const { file, entryPoint } of entries) if (wanted(entryPoint)) follow(file)
    return found
  }
  const surface = (name: string, isStart: boolean) =>
    below((entryPoint) => {
      const [, found, assemble] = SURFACE.exec(entryPoint) ?? []
      return found === name && (assemble !== undefined) === isStart
    })
  const surfaces = [...new Set(entries.flatMap(({ entryPoint }) => SURFACE.exec(entryPoint)?.[1] ?? []))].sort()
  const optional = surfaces.filter((name) => name !== 'admin').map((name) => [name, surface(name, true)] as const)
  const later = surfaces.map((name) => [`${name}-endpoints`, surface(name, false)] as const)
  const server = new Set([...below((entryPoint) => entryPoint === SERVE), ...surface('admin', true)])
  const main = below((entryPoint) => entryPoint === MAIN)
  const scripts = below((entryPoint) => CALLED_BY_SCRIPTS.includes(entryPoint))
  const needs = Object.entries(NEEDS).map(
    ([name, files]) => [name, below((entryPoint) => files.test(entryPoint))] as const,
  )
  // The short check runs beside every server, whatever is switched on.
  const check = below((entryPoint) => CHECK.test(entryPoint))
  const isShared = (parts: (readonly [string, Set<string>])[]) => (file: string) =>
    parts.filter(([, files]) => files.has(file)).length > 1 && !check.has(file)
  const each = (parts: (readonly [string, Set<string>])[]) =>
    parts.map(([name, files]): [string, (file: string) => boolean] => [
      name,
      (file) => files.has(file) && !check.has(file),
    ])
  const everything = Object.keys(outputs).sort()
  const layers: [string, (file: string) => boolean][] = [
    ['base', (file) => main.has(file) || (server.has(file) && scripts.has(file))],
    ['server', (file) => server.has(file)],
    ['surfaces', isShared([...optional, ...needs])],
    ...each(needs),
    ...each(optional),
    ['endpoints', isShared(later)],
    ...each(later),
  ]
  const placed = new Set(['main.js'])
  return layers.map(([name, isIn]) => {
    const members = everything.filter((file) => isIn(file) && !placed.has(file))
    for (const file of members) placed.add(file)
    return [`${name}.js`, members]
  })
}

export interface Bundle {
  /** `lib/DIGEST`, below the folder that was named: of other contents, another one. */
  folder: string
  /** Its files, and what is in each of them. */
  outputs: Outputs
}

/** Writes the program below `out`, into a folder that is named for what it holds, beside those of other builds. */
export async function bundle(out: string): Promise<Bundle> {
  const { outputFiles, metafile } = await split()
  const parts: Outputs = Object.fromEntries(
    Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]),
  )
  let files: Files = new Map(outputFiles.map(({ path, text }) => [basename(path), withoutUnusedRequire(text)]))
  const outputs = { ...parts }
  for (const [name, members] of layersOf(parts)) {
    if (members.length === 0) continue
    files = await merge(files, name, members)
    const inputs = Object.assign({}, ...members.map((member) => outputs[member]?.inputs))
    for (const member of members) delete outputs[member]
    outputs[name] = { bytes: files.get(name)?.length ?? 0, imports: [], exports: [], inputs }
  }
  const names = [...files.keys()].sort()
  const digest = createHash('sha256')
  for (const name of names) digest.update(`${name}\0${files.get(name)}\0`)
  const folder = `lib/${digest.digest('hex').slice(0, 12)}`
  rmSync(join(out, folder), { recursive: true, force: true })
  mkdirSync(join(out, folder), { recursive: true })
  for (const name of names) writeFileSync(join(out, folder, name), files.get(name) ?? '')
  const none = { bytes: 0, imports: [], exports: [], inputs: {} }
  return { folder, outputs: Object.fromEntries(names.map((name) => [join(folder, name), outputs[name] ?? none])) }
}
