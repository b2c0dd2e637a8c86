// A temporary appliance, and scripts started on it as the server starts them. The scripts find their bundle beside
// them, so they run from a temporary installation, never from the checkout.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sharedBundle } from '../harness/shared-bundle.ts'

const repository = join(dirname(fileURLToPath(import.meta.url)), '../..')
export const FIXTURES = join(repository, '../shared/tools/jidoteki-replay/fixtures')
export const isRoot = process.getuid?.() === 0

const temporary: string[] = []
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'edge-admin-'))
  temporary.push(folder)
  return folder
}
export function removeTemporary(): void {
  for (const folder of temporary.splice(0)) rmSync(folder, { recursive: true, force: true })
  installed = undefined
}

export interface Shell {
  name: string
  command: string[]
  path?: string
}

/** The shells the scripts have to run under: dash with the system's programs, busybox ash with busybox's own before them. */
export function shells(): Shell[] {
  const applets = temporaryFolder()
  const list = spawnSync('busybox', ['--list'], { encoding: 'utf8' }).stdout.split('\n').filter(Boolean)
  const busybox = spawnSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).stdout.trim()
  for (const applet of list) if (applet !== 'openssl') symlinkSync(busybox, join(applets, applet))
  return [
    { name: 'dash', command: ['dash'] },
    { name: 'busybox ash', command: ['busybox', 'ash'], path: applets },
  ]
}

let installed: string | undefined
/** The scripts, and the bundle that they call, as `make install` lays them. */
export function installation(): string {
  if (installed) return installed
  const folder = temporaryFolder()
  cpSync(join(repository, 'scripts'), join(folder, 'scripts'), { recursive: true })
  cpSync(sharedBundle(), folder, { recursive: true })
  installed = folder
  return folder
}

/** The names of the checkpoints in these sources, so that one without a test is noticed. */
export function checkpoints(...files: string[]): string[] {
  return files.flatMap((file) => {
    const text = readFileSync(join(repository, file), 'utf8')
    return [...text.matchAll(/^\s*checkpoint ([a-z-]+)|\bcheckpoint\('([a-z-]+)'\)/gm)].map((m) => m[1] ?? m[2]!)
  })
}

export class Appliance {
  readonly folder = temporaryFolder()
  readonly root = join(this.folder, 'root')
  readonly data = join(this.folder, 'data')
  readonly state = join(this.folder, 'state')
  readonly shell: Shell

  constructor(shell: Shell) {
    this.shell = shell
    for (const folder of [this.etc(), join(this.root, 'log'), join(this.root, 'tmp'), this.uploads(), this.data]) {
      mkdirSync(folder, { recursive: true })
    }
    for (const folder of ['tasks', 'locks']) mkdirSync(join(this.state, folder), { recursive: true })
    mkdirSync(join(this.folder, 'sysconf'))
    for (const key of ['updates.key', 'updates.pub']) cpSync(join(FIXTURES, key), this.etc(key))
    writeFileSync(this.etc('version.txt'), '1.2.3\n')
  }

  etc = (name = '') => join(this.root, 'etc', name)
  uploads = (name = '') => join(this.root, 'home/sftp/uploads', name)
  task = (id: string, name = '') => join(this.state, 'tasks', id, name)

  read(file: string): string | undefined {
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined
  }
  log(name: string): string[] {
    const text = this.read(join(this.root, 'log', name)) ?? ''
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => line.replace(/^\[\d+\]/, '[T]').replace(/at: .*$/, 'at: D'))
  }

  /** A task as the server creates it. */
  create(kind: string, args: string[] = [], inputs: Record<string, Uint8Array> = {}): string {
    const id = `${Date.now()}-${randomBytes(4).toString('hex')}`
    mkdirSync(this.task(id, 'input'), { recursive: true })
    for (const [name, content] of Object.entries(inputs)) writeFileSync(this.task(id, `input/${name}`), content)
    writeFileSync(this.task(id, 'request.json'), JSON.stringify({ id, kind, args }))
    const created_at = '2024-01-01T00:00:00Z'
    const status = { id, kind, status: 'pending', progress: 0, message: 'waiting', created_at }
    writeFileSync(this.task(id, 'status.json'), `${JSON.stringify(status)}\n`)
    return id
  }

  /** Starts an action of a task's script, or of another `file`, as the server does: detached, nothing inherited but the log. */
  start(
    id: string,
    action: 'run' | 'recover' | 'cancel',
    env: Record<string, string> = {},
    file?: string,
  ): ChildProcess {
    const { kind, args } = JSON.parse(readFileSync(this.task(id, 'request.json'), 'utf8'))
    const out = openSync(this.task(id, 'log'), 'a')
    const [program, ...rest] = this.shell.command
    const script = file ?? join(installation(), 'scripts', `${kind}.sh`)
    const child = spawn(program!, [...rest, script, action, this.task(id), ...args], {
      cwd: '/',
      detached: true,
      stdio: ['ignore', out, out],
      env: {
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        EDGE_ROOT: this.root,
        EDGE_SYSCONFDIR: join(this.folder, 'sysconf'),
        EDGE_DATADIR: this.data,
        EDGE_STATEDIR: this.state,
        EDGE_LABEL: 'SYSTEM',
        ...(this.shell.path ? { EDGE_PATH: this.shell.path } : {}),
        ...env,
      },
    })
    closeSync(out)
    return child
  }

  async act(
    id: string,
    action: 'run' | 'recover' | 'cancel',
    env: Record<string, string> = {},
    file?: string,
  ): Promise<number | string> {
    return ended(this.start(id, action, env, file))
  }

  async run(
    kind: string,
    args: string[] = [],
    env: Record<string, string> = {},
    inputs: Record<string, Uint8Array> = {},
  ) {
    const id = this.create(kind, args, inputs)
    const exit = await this.act(id, 'run', env)
    return { id, exit, task: this.status(id), log: this.read(this.task(id, 'log')) ?? '' }
  }

  status(id: string): { status: string; progress: number; message: string; error?: { code: string; message: string } } {
    return JSON.parse(readFileSync(this.task(id, 'status.json'), 'utf8'))
  }

  lockIsFree(lock: string): boolean {
    return spawnSync('flock', ['-n', join(this.state, 'locks', `${lock}.lock`), 'true']).status === 0
  }
}

export const ended = (child: ChildProcess): Promise<number | string> =>
  new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'gone'))
  })

/** Whether a process still runs: one that has ended may wait for its parent for ever. */
export function isAlive(pid: string): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

/** Polls until `condition` holds. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 90_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`never happened: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Everything below a folder: path → kind, mode and content. Two equal ones are the same tree. */
export function tree(root: string): Record<string, string> {
  const found: Record<string, string> = {}
  const visit = (folder: string) => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name)
      const stats = lstatSync(path)
      const mode = (stats.mode & 0o7777).toString(8)
      if (stats.isSymbolicLink()) found[relative(root, path)] = `link ${readlinkSync(path)}`
      else if (stats.isDirectory()) {
        found[relative(root, path)] = `folder ${mode}`
        visit(path)
      } else {
        const hash = createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16)
        found[relative(root, path)] = `file ${mode} ${stats.size} ${hash}`
      }
    }
  }
  visit(root)
  return found
}

export type Content = { [name: string]: string | Content | { link: string } }
/** Makes a tree of files: text is a file, an object a folder, `{link}` a symbolic link. */
export function plant(root: string, content: Content): void {
  mkdirSync(root, { recursive: true })
  for (const [name, value] of Object.entries(content)) {
    const path = join(root, name)
    if (typeof value === 'string') {
      writeFileSync(path, value)
      chmodSync(path, 0o640)
    } else if (typeof value['link'] === 'string') symlinkSync(value['link'], path)
    else plant(path, value as Content)
  }
}
