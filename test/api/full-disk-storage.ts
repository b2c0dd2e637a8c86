// Run by storage-full-disk.test.ts in a mount namespace of its own, where the folder that is given is a small tmpfs: each change of shares,
// accounts and permissions, or of targets, pools, disks and schedules, with so many free pages, from none on, until it succeeds. Prints how each
// ended and what was wrong, as JSON. The programs' own state is elsewhere: here the disk of the appliance is full.
import { chmodSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installation, startAppliance } from './appliance.ts'
import { until } from './client.ts'
import type { JsonAnswer } from './controller.ts'
import { tool } from './storage-tools.ts'
import { makeWorld } from './storage-world.ts'

const PAGE = 4096
/** The first writes of a change are the server's own, each on its own page; a script's come later, and several need as much. */
const PAGES = [0, 1, 2, 3, 5, 8, 13, 40]
const PERMISSIONS = '/datasets/tank/data/permissions'
const IQN = 'iqn.2024-12.com.example:full'
const CLIENT = 'iqn.2024-12.com.client:one'
const CHAP = { username: 'initiator', password: 'chap-secret-12' }
const MUTUAL = { username: 'target', password: 'mutual-secret-12' }

const scripts = join(installation(), 'scripts')
const world = await makeWorld(
  (options) => {
    process.env['TMPDIR'] = process.argv[2]
    return startAppliance(options)
  },
  { scripts, controller: { 'apply-seconds': 3 } },
)
const { appliance, files } = world
tool(world, 'zpool', 'create', '-O', `mountpoint=${files}/tank`, 'tank', ...world.disks(1))
for (const name of ['data', 'homes']) {
  tool(world, 'zfs', 'create', '-o', 'acltype=posixacl', `tank/${name}`)
  mkdirSync(join(files, 'tank', name), { recursive: true })
  chmodSync(join(files, 'tank', name), 0o755)
}

const send = (method: string, path: string, json?: object): Promise<JsonAnswer> =>
  world.ask(method, path, json === undefined ? {} : { json })
/** The id of the first of a list: what was made may have been answered with an error of the audit log. */
const first = async (path: string): Promise<string> => `${path}/${(await send('GET', path)).json[0].id}`
const wipe = async () => {
  const { json } = await send('POST', '/disks/fake-DISK9/wipe?dry_run=true')
  return send('POST', `/disks/fake-DISK9/wipe?confirm=${json.confirm}`)
}

type Changes = Record<string, () => Promise<JsonAnswer>>
/** In this order: each finds what the ones above have made. */
const PEOPLE: Changes = {
  'a share group': () => send('POST', '/share-groups', { name: 'crew' }),
  'a share user': () => send('POST', '/share-users', { name: 'ann', password: 'a-good-one-1', groups: ['crew'] }),
  'a password': async () => send('PUT', await first('/share-users'), { password: 'a-good-one-2', enabled: false }),
  permissions: () => send('PUT', PERMISSIONS, { owner: 'vendor', group: 'crew', mode: '2770' }),
  'permissions of everything': () => send('PUT', PERMISSIONS, { mode: '2750', recursive: true }),
  'home folders': () => send('POST', '/shares/smb', { name: 'people', dataset: 'tank/homes', home_folders: true }),
  'a share in one go': () =>
    send('POST', '/shares', {
      ...{ dataset: 'tank/team', create_dataset: true, smb: { name: 'team' }, nfs: { clients: ['10.0.0.0/8'] } },
      access: { write: ['vendor'], read: ['@crew'] },
    }),
  'a share user that goes': async () => send('DELETE', await first('/share-users')),
}
const DEVICES: Changes = {
  'a target': () => send('POST', '/iscsi/targets', { iqn: IQN, initiators: [CLIENT], chap: CHAP, mutual_chap: MUTUAL }),
  'another mutual secret': async () =>
    send('PUT', await first('/iscsi/targets'), { mutual_chap: { ...MUTUAL, password: 'another-secret-1' } }),
  'a quota': () => send('PUT', '/quotas/tank/data', { users: [{ id: 1000, quota: '5M' }] }),
  'the schedule of a pool': () => send('PUT', '/pools/tank/schedule', { scrub: 'weekly', trim: 'monthly' }),
  'the schedule of self-tests': () => send('PUT', '/disk-tests', { short: 'weekly', long: 'monthly' }),
  'an attached disk': () => send('POST', '/pools/tank/attach', { device: world.disks(1)[0], disk: world.disks(2)[1] }),
  'a wiped disk': wipe,
}
/** A folder stays half done, and its job says so. */
const IN_PART = 'permissions of everything'
/** Nobody reads them back. */
const UNSEEN = ['another mutual secret', 'a quota', 'a wiped disk']

/** All that any of them changes: what the programs know, and what is answered. */
const PROGRAMS = [
  ['zfs', 'get', '-Hp', '-s', 'local', '-t', 'filesystem', '-o', 'name,property,value', 'all'],
  ['zpool', 'status', '-P'],
  ['net', 'conf', 'list'],
  ['exportfs', '-s'],
  ['getent', 'passwd'],
  ['getent', 'group'],
  ['pdbedit', '-L', '-w'],
] as const
const READ = [
  '/share-users',
  '/share-groups',
  '/shares/smb',
  '/exports/nfs',
  '/iscsi/targets',
  '/disk-tests',
  PERMISSIONS,
]
const look = async (): Promise<string[]> => {
  const answers = []
  for (const path of READ) answers.push((await send('GET', path)).json)
  const said = PROGRAMS.map(([name, ...args]) => tool(world, name, ...args))
  return [...answers.map((answer) => JSON.stringify(answer, null, 1)), ...said].join('\n').split('\n')
}

/** Leaves so many pages of the disk free; answers what gives the rest back. */
function fill(pages: number): () => void {
  const filler = join(appliance.folders.root, 'filler')
  const { bavail, bsize } = statfsSync(appliance.folders.root)
  writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - pages * PAGE)))
  return () => rmSync(filler)
}
const isDone = (end = '') => /^(?:20|done)/.test(end)
async function outcome({ status, json }: JsonAnswer): Promise<string> {
  if (status === 507 && /^The change was made, but its entry/.test(json.message)) return 'done'
  const job = json?.job ?? (status === 202 ? json.id : undefined)
  if (status >= 300 || job === undefined) return String(status)
  const { status: end } = await until('the job ends', async () => {
    const found = (await world.ask('GET', `/jobs/${job}`)).json
    return found.completed_at && found
  })
  return end === 'completed' ? '200' : end
}

const seen: Record<string, string[]> = {}
const faults: string[] = []
let before = await look()
for (const [name, change] of Object.entries(process.argv[3] === 'people' ? PEOPLE : DEVICES)) {
  const ends: string[] = []
  for (const pages of PAGES) {
    const lines = appliance.audit().length
    const empty = fill(pages)
    const answer = await change()
    empty()
    const end = await outcome(answer)
    ends.push(end)
    const after = await look()
    const changed = after
      .filter((line) => !before.includes(line))
      .concat(before.filter((line) => !after.includes(line)))
    before = after
    const fault = (what: string) => faults.push(`${name}, ${pages} free pages: ${end}, and ${what}`)
    if (!isDone(end) && end !== '507') fault(`that is no legal end: ${JSON.stringify(answer.json)}`)
    if (!isDone(end) && changed.length > 0 && name !== IN_PART) fault(`this has changed: ${changed.join(' ')}`)
    if (isDone(end) && changed.length === 0 && ![IN_PART, ...UNSEEN].includes(name)) fault('nothing has changed')
    if (/^20/.test(end) && appliance.audit().length === lines) fault('there is no entry in the audit log')
    if (isDone(end)) break
  }
  if (!isDone(ends.at(-1))) faults.push(`${name}: was never done`)
  seen[name] = ends
}
process.stdout.write(JSON.stringify({ seen, faults }))
await world.close()
