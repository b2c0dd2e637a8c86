// The works that a fault may hit at any moment: what each starts from, what it changes, and what is a legal end of it.
// An end is only judged after `recover`, as the server would have called it; what a client reads has to agree with it
// then.
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Appliance, FIXTURES, plant, tree } from './harness.ts'
import { inner, outer, pack, tar } from './tar.ts'

export interface Work {
  args?: string[]
  inputs?: () => Record<string, Uint8Array>
  /** Lays what the work needs and does not bring: before each run. */
  lay: (box: Appliance) => void
  /** What the work changes. */
  look: (box: Appliance) => unknown
  /** What clients are told, as `completed`, `failed`, or what else it says. */
  told?: (box: Appliance) => string
  /** The work has changed something although it failed: the package's own script ran. */
  mayHaveRun?: boolean
}

const bytes = (text: string) => Buffer.from(text)
const texts = (box: Appliance, names: string[]) => names.map((name) => box.read(join(box.folder, name)))
const old = (box: Appliance, name: string, text: string) => {
  const file = join(box.folder, name)
  mkdirSync(join(file, '..'), { recursive: true })
  if (!existsSync(file)) writeFileSync(file, text)
}
const parse = (text: string | undefined): { status?: string; sha256?: string } | undefined => {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}
const asTask: Record<string, string> = { success: 'completed' }
const CONF = 'mode=dhcp\ninterface=ea0\nhostname="new.host"\nntpserver=""\n'
const PKI = ['private/enterprise.key', 'certs/enterprise.crt', 'enterprise.pem'].map(
  (name) => `sysconf/pki/tls/${name}`,
)
/** Unlike the fixtures' own, it replaces the version in one step: what a vendor does not, we cannot. */
const PACKAGE = pack(
  outer(
    inner({
      script:
        '#!/bin/sh\necho 1.3.0 >../version.new && sync ../version.new && mv ../version.new ../../etc/version.txt\n',
    }),
  ),
)

export const WORKS: Record<string, Work> = {
  update: {
    lay(box) {
      writeFileSync(box.etc('version.txt'), '1.2.3\n')
      writeFileSync(box.uploads('software_package-zzz.enc'), PACKAGE)
    },
    look: (box) => box.read(box.etc('version.txt')),
    told(box) {
      const status = parse(box.read(box.etc('status_update.json')))?.status ?? 'nothing'
      if (status !== 'failed') return asTask[status] ?? status
      return box.read(box.etc('status_error_code.txt'))?.startsWith('E100') ? 'failed' : 'failed, and not why'
    },
    mayHaveRun: true,
  },
  settings: {
    args: ['dhcp'],
    inputs: () => ({
      'app.json': bytes('{"name":"new"}\n'),
      'network.json': bytes('{"mode":"dhcp","hostname":"new.host"}\n'),
      'network.conf': bytes(CONF),
    }),
    lay(box) {
      old(box, 'root/etc/app.json', '{"name":"old"}\n')
      old(box, 'root/etc/network.json', '{"mode":"dhcp","hostname":"old.host"}\n')
      old(box, 'sysconf/network.conf', CONF.replace('new', 'old'))
      // The vendor's hook: without it the script would change this machine's network.
      old(box, 'root/bin/network.sh', '#!/bin/sh\n')
      chmodSync(join(box.root, 'bin/network.sh'), 0o755)
    },
    look: (box) => texts(box, ['root/etc/app.json', 'root/etc/network.json', 'sysconf/network.conf']),
  },
  certs: {
    inputs: () => ({
      'appliance.pem': readFileSync(join(FIXTURES, 'ec.pem')),
      'appliance.key': readFileSync(join(FIXTURES, 'ec.key')),
    }),
    lay(box) {
      for (const name of PKI) old(box, name, 'old')
    },
    look: (box) => texts(box, PKI),
    told: (box) => {
      const text = box.read(box.etc('status_certs.txt'))?.trim() ?? 'nothing'
      return asTask[text] ?? text
    },
  },
  backup: {
    args: ['START'],
    lay(box) {
      plant(join(box.data, 'etc'), { 'app.conf': 'x'.repeat(9000) })
      writeFileSync(box.etc('backup.txt'), 'etc')
    },
    look: (box) => (existsSync(box.uploads('backup.tar')) ? 'an archive' : 'none'),
    told(box) {
      const { status = 'nothing', sha256 } = parse(box.read(box.uploads('backup.json'))) ?? {}
      if (status !== 'success') return status
      const archive = box.uploads('backup.tar')
      const hash = existsSync(archive) && createHash('sha256').update(readFileSync(archive)).digest('hex')
      return hash === sha256 ? 'completed' : 'a success without its archive'
    },
  },
  restore: {
    inputs: () => ({
      'backup-archive.tar': tar([
        { name: 'etc/app.conf', data: 'n'.repeat(6000) },
        { name: 'etc/fresh', data: 'new' },
        { name: 'made/', type: '5', mode: 0o755 },
        { name: 'made/x', data: 'new' },
      ]),
    }),
    lay: (box) => old(box, 'data/etc/app.conf', 'old'),
    look: (box) =>
      Object.fromEntries(Object.entries(tree(box.data)).filter(([path]) => !basename(path).startsWith('.'))),
  },
}

export const environment = (box: Appliance) => ({ EDGE_NETROOT: join(box.folder, 'net') })

export interface Ends {
  before: string
  after: string
  /** Milliseconds. */
  took: number
}

/** What the work looks like before and after, on an appliance where nothing goes wrong. */
export async function endsOf(kind: string, make: () => Appliance): Promise<Ends> {
  const { args = [], inputs, lay, look } = WORKS[kind]!
  const box = make()
  lay(box)
  const before = JSON.stringify(look(box))
  const begun = performance.now()
  const { task, log } = await box.run(kind, args, environment(box), inputs?.())
  if (task.status !== 'completed') throw new Error(`${kind} does not even work by itself: ${log}`)
  const took = performance.now() - begun
  const after = JSON.stringify(look(box))
  if (after === before) throw new Error(`${kind} changes nothing`)
  return { before, after, took }
}

/** What is wrong with where a task came to, once `recover` was there; empty when its end is legal. Then the next one has to work. */
export async function judge(box: Appliance, kind: string, id: string, { before, after }: Ends): Promise<string[]> {
  const { args = [], inputs, lay, look, told, mayHaveRun } = WORKS[kind]!
  const faults: string[] = []
  const { status } = box.status(id)
  const state = JSON.stringify(look(box))
  if (!['completed', 'failed', 'interrupted'].includes(status)) faults.push(`the task is ${status}`)
  if (state !== before && state !== after) faults.push(`neither the old state nor the new one: ${state}`)
  if (status === 'completed' && state !== after) faults.push('completed, and still as before')
  if (status !== 'completed' && state === after && !mayHaveRun) faults.push(`${status}, and changed`)
  const said = told?.(box)
  const wanted = status === 'completed' ? 'completed' : 'failed'
  if (said !== undefined && said !== wanted) faults.push(`clients are told: ${said}, not ${wanted}`)
  if (!box.lockIsFree(kind === 'restore' ? 'backup' : kind)) faults.push('the lock is still held')
  const left = Object.keys(tree(box.folder)).filter(
    (path) => /(?:^|\/)\.|^root\/tmp\/./.test(path) && !path.endsWith('version.new'),
  )
  if (left.length > 0) faults.push(`left behind: ${left.join(' ')}`)
  const ended = JSON.stringify(tree(box.folder))
  await box.act(id, 'recover', environment(box))
  if (JSON.stringify(tree(box.folder)) !== ended) faults.push('a second recover changed something')
  lay(box)
  const next = await box.run(kind, args, environment(box), inputs?.())
  if (next.task.status !== 'completed') faults.push(`the next one ended as ${next.task.status}: ${next.log}`)
  if (JSON.stringify(look(box)) !== after) faults.push('the next one changed something else')
  return faults
}
