// An appliance in a temporary folder for the tests of the scripts: they run in a session, a host name and a network of
// their own. Busybox ash prefers its own applets to the fakes on the path, so what changes the machine must be kept in
// by namespaces.
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { buildSync } from 'esbuild'

export const REPOSITORY = resolve(import.meta.dirname, '../..')
export const FIXTURES = resolve(REPOSITORY, '../shared/tools/jidoteki-replay/fixtures')
export const isRoot = process.getuid?.() === 0
const has = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
export const SHELLS = ['dash', 'busybox ash'].filter((shell) => has(shell.split(' ')[0]!))

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  task: string
  status: { status: string; progress: number; message: string; error?: { code: string; message: string } }
  log: string
}

export interface RunOptions {
  inputs?: Record<string, string | Uint8Array>
  args?: string[]
  env?: Record<string, string>
  /** `CHECKPOINT=error|kill`. */
  fault?: string
}

const bundle = buildSync({
  stdin: {
    contents: `import { swap } from './src/cli/swap.ts'; import { judge } from './src/cli/judge.ts'
      process.exitCode = await { swap, judge }[process.argv[2]](process.argv.slice(3), process)`,
    resolveDir: REPOSITORY,
    loader: 'ts',
  },
  bundle: true,
  platform: 'node',
  format: 'esm',
  write: false,
}).outputFiles[0]!.text

export class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), 'edge-scripts-'))
  readonly root = join(this.folder, 'root')
  readonly sysconf = join(this.folder, 'sysconf')
  readonly data = join(this.folder, 'data')
  readonly state = join(this.folder, 'state')
  /** Stands before every path of the real network and service manager. */
  readonly net = join(this.folder, 'net')
  /** Programs that are found first. */
  readonly fake = join(this.folder, 'fake')
  readonly scripts = join(this.folder, 'scripts')
  readonly shell: string
  private count = 0

  constructor(shell: string) {
    this.shell = shell
    for (const part of ['root/etc', 'root/log', 'root/tmp', 'root/bin', 'root/home/sftp/uploads', 'sysconf', 'data']) {
      mkdirSync(join(this.folder, part), { recursive: true })
    }
    for (const folder of [this.state, this.net, this.fake, this.scripts]) mkdirSync(folder)
    const source = join(REPOSITORY, 'scripts')
    for (const name of readdirSync(source).filter((found) => /\.(sh|awk)$/.test(found))) {
      symlinkSync(join(source, name), join(this.scripts, name))
    }
    writeFileSync(join(this.folder, 'edge-admin.mjs'), bundle)
    this.program(join(this.scripts, 'edge-admin'), `exec node "${this.folder}/edge-admin.mjs" "$@"`)
    if (shell.startsWith('busybox')) {
      this.fakes(
        'awk',
        'sed',
        'grep',
        'tar',
        'gzip',
        'head',
        'cut',
        'tr',
        'stat',
        'find',
        'cmp',
        'sync',
        'timeout',
        'wc',
      )
    }
  }

  private fakes(...applets: string[]) {
    for (const applet of applets) this.program(join(this.fake, applet), `exec busybox ${applet} "$@"`)
  }

  program(file: string, body: string): void {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 })
  }

  /** A vendor's script. */
  hook(name: string, body: string): void {
    this.program(join(this.root, 'bin', `${name}.sh`), body)
  }

  write(file: string, content: string | Uint8Array): void {
    mkdirSync(dirname(join(this.folder, file)), { recursive: true })
    writeFileSync(join(this.folder, file), content)
  }

  read(file: string): string | undefined {
    return existsSync(join(this.folder, file)) ? readFileSync(join(this.folder, file), 'utf8') : undefined
  }

  environment(extra: Record<string, string> = {}): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      EDGE_ROOT: this.root,
      EDGE_SYSCONFDIR: this.sysconf,
      EDGE_DATADIR: this.data,
      EDGE_STATEDIR: this.state,
      EDGE_PATH: this.fake,
      EDGE_NETROOT: this.net,
      ...extra,
    }
  }

  /** Makes the folder of a task that is about to run. */
  prepare(inputs: Record<string, string | Uint8Array> = {}): string {
    const task = join(this.state, 'tasks', `t${++this.count}`)
    mkdirSync(join(task, 'input'), { recursive: true })
    writeFileSync(join(task, 'status.json'), '{"status":"pending","progress":0,"created_at":"2026-01-01T00:00:00Z"}\n')
    for (const [name, content] of Object.entries(inputs)) writeFileSync(join(task, 'input', name), content)
    return task
  }

  run(kind: string, { inputs = {}, args = [], env = {}, fault }: RunOptions = {}): Ended {
    return this.action('run', kind, this.prepare(inputs), args, { ...env, ...(fault && { EDGE_FAULT: fault }) })
  }

  recover(kind: string, task: string, args: string[] = [], env: Record<string, string> = {}): Ended {
    return this.action('recover', kind, task, args, env)
  }

  cancel(kind: string, task: string, args: string[] = [], env: Record<string, string> = {}): Ended {
    return this.action('cancel', kind, task, args, env)
  }

  private action(action: string, kind: string, task: string, args: string[], env: Record<string, string>): Ended {
    const apart = isRoot ? ['unshare', '--uts', '--net', '--'] : []
    const script = join(this.scripts, `${kind}.sh`)
    // A session of its own: `recover` ends everything in the session of the task.
    const argv = ['--wait', ...apart, ...this.shell.split(' '), script, action, task, ...args]
    const ended = spawnSync('setsid', argv, {
      cwd: '/',
      env: this.environment(env),
      encoding: 'utf8',
      timeout: 120_000,
    })
    return {
      code: ended.status,
      signal: ended.signal,
      task,
      status: JSON.parse(readFileSync(join(task, 'status.json'), 'utf8')),
      log: `${ended.stdout}${ended.stderr}`,
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export interface Faults {
  kind: string
  args?: string[]
  /** Persisted steps of the script. */
  checkpoints: string[]
  /** Makes an appliance with the old state. */
  make: () => Sandbox
  /** Inputs that lead to the new state. */
  inputs: Record<string, string | Uint8Array>
  /** What counts, as one value. */
  look: (sandbox: Sandbox) => unknown
}

/** The steps of the swap itself (src/store/file-transaction.ts). */
export const SWAP_STEPS = ['swap-planned', 'swap-saved', 'swap-placed', 'swap-all-placed']

/** One row of the fault table: what is wrong with how the script ended, or nothing. */
export function faultRow({ kind, args = [], make, inputs, look }: Faults, fault: string): string[] {
  const sandbox = make()
  const faults: string[] = []
  try {
    const before = JSON.stringify(look(sandbox))
    const broken = sandbox.run(kind, { inputs, args, fault })
    if (broken.code === 0) faults.push('the fault was not noticed')
    const killed = fault.endsWith('kill')
    const after = killed ? sandbox.recover(kind, broken.task, args) : broken
    const wanted = killed ? 'interrupted' : 'failed'
    if (after.status.status !== wanted) faults.push(`the status is ${after.status.status}, not ${wanted}: ${after.log}`)
    const settled = JSON.stringify(look(sandbox))
    if (settled !== before) faults.push(`neither the old state nor the new one: ${settled}`)
    sandbox.recover(kind, broken.task, args)
    if (JSON.stringify(look(sandbox)) !== settled) faults.push('a second recover changed something')
    const next = sandbox.run(kind, { inputs, args })
    if (next.status.status !== 'completed') faults.push(`the next run ended as ${next.status.status}: ${next.log}`)
    if (JSON.stringify(look(sandbox)) === before) faults.push('the next run changed nothing')
  } finally {
    sandbox.remove()
  }
  return faults
}
