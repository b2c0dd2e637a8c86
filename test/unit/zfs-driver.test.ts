// The driver of zfs against what the real one answered to its very commands, and what its refusals come to. A recording
// counts only when its command is the one that the driver gives, word for word.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Tool } from '../../src/drivers/programs.ts'
import { CommandError } from '../../src/drivers/run.ts'
import { createZfs, type DatasetRow, type SnapshotRow } from '../../src/drivers/zfs.ts'
import { ApiError, type ErrorKind } from '../../src/errors.ts'
import { findDataset, listDatasets } from '../../src/features/datasets/datasets.ts'
import { findSnapshot, listSnapshots } from '../../src/features/snapshots/snapshots.ts'
import { zfsFailure } from '../../src/features/zfs/failure.ts'
import { FIXTURES, recorded } from '../harness/recorded.ts'

const FOLDER = 'zfs-2.3.9'
const recordings = readdirSync(join(FIXTURES, FOLDER))
  .filter((name) => name.startsWith('driver-'))
  .map((name) => recorded(`${FOLDER}/${name.replace('.txt', '')}`))

/** Answers as the real one did, in small pieces; throws when it was never asked that. */
const replay: Tool = (name, args, { onOutput, accept = [] } = {}) => {
  const command = [name, ...args].join(' ')
  const found = recordings.find((one) => one.command === command)
  if (!found) throw new Error(`never recorded: ${command}`)
  const bytes = Buffer.from(found.stdout)
  for (let at = 0; onOutput && at < bytes.length; at += 7) onOutput(bytes.subarray(at, at + 7))
  return found.status === 0 || accept.includes(found.status)
    ? Promise.resolve({ stdout: onOutput ? '' : found.stdout, stderr: found.stderr, status: found.status })
    : Promise.reject(new CommandError([name, ...args], 'status', found.stderr, found.status))
}
const END = 'edge-admin:end-recorded'
const zfs = createZfs(replay, () => END)

describe('the driver reads what ZFS 2.3 answers to', () => {
  it('a list of datasets', async () => {
    const rows: DatasetRow[] = []
    await zfs.datasets('recd', (row) => rows.push(row))
    expect(rows.map(({ name, type, size, mountpoint }) => [name, type, size, mountpoint])).toEqual([
      ['recd', 'filesystem', undefined, '/mnt/recd'],
      ['recd/copy', 'filesystem', undefined, '/mnt/recd/copy'],
      ['recd/data', 'filesystem', undefined, '/mnt/recd/data'],
      ['recd/data/child', 'filesystem', undefined, '/mnt/recd/data/child'],
      ['recd/none', 'filesystem', undefined, undefined],
      ['recd/other', 'filesystem', undefined, '/mnt/recd/other'],
      ['recd/volume', 'volume', 16 * 1024 ** 2, undefined],
    ])
    for (const { used, available, created } of rows) {
      expect(Math.min(used, available)).toBeGreaterThanOrEqual(0)
      expect(created).toBeGreaterThan(1.7e9)
    }
    await expect(listDatasets(zfs, { pool: 'nosuch' })).rejects.toMatchObject({
      kind: 'not-found',
      message: 'pool not found',
    })
  })

  it('a list of snapshots', async () => {
    const rows: SnapshotRow[] = []
    await zfs.snapshots({ dataset: 'recd/data', deep: false }, (row) => rows.push(row))
    const names = ['recd/data@one', 'recd/data@hourly-20261121-090000', 'recd/data@three']
    expect(rows.map(({ name }) => name)).toEqual(names)
    const deep = JSON.parse(String(await listSnapshots(zfs, { pool: 'recd' }))) as { name: string }[]
    expect(deep.map(({ name }) => name)).toEqual(names)
    await expect(listSnapshots(zfs, { dataset: 'recd/nosuch' })).rejects.toMatchObject({ kind: 'not-found' })
  })

  it('everything about one', async () => {
    expect(await findDataset(zfs, 'recd/data')).toMatchObject({
      name: 'recd/data',
      type: 'filesystem',
      mountpoint: '/mnt/recd/data',
      options: { quota: String(64 * 1024 ** 2), 'acme:note': 'two words, ü' },
    })
    expect(await findDataset(zfs, 'recd/volume')).toMatchObject({ type: 'volume', size: 16 * 1024 ** 2 })
    expect((await findDataset(zfs, 'recd/copy'))?.origin).toBe('recd/data@three')
    expect(await findDataset(zfs, 'recd/nosuch')).toBeUndefined()
    expect(await findSnapshot(zfs, 'recd/data@one')).toMatchObject({
      dataset: 'recd/data',
      holds: ['backup', 'audit'],
      clones: [],
    })
    expect((await zfs.get('recd/data'))?.get('mountpoint')).toEqual({
      value: '/mnt/recd/data',
      source: 'inherited from recd',
    })
  })

  it('a tree and a history, with bookmarks', async () => {
    const tree = (await zfs.tree('recd/data')) ?? []
    expect(tree.map(({ name, type, holds, clones }) => [name, type, holds, clones.length])).toEqual([
      ['recd/data', 'filesystem', 0, 0],
      ['recd/data@one', 'snapshot', 2, 0],
      ['recd/data@hourly-20261121-090000', 'snapshot', 0, 0],
      ['recd/data@three', 'snapshot', 0, 2],
      ['recd/data#mark', 'bookmark', 0, 0],
      ['recd/data/child', 'filesystem', 0, 0],
    ])
    expect((await zfs.history('recd/data'))?.map(({ name }) => name)).toEqual(tree.slice(1, 5).map(({ name }) => name))
    expect(await zfs.tree('recd/nosuch')).toBeUndefined()
  })

  it('policies and what they made, also when a dataset is gone meanwhile', async () => {
    expect([...(await zfs.local('edge-admin:policy'))]).toEqual([['recd/data', 'hourly=1']])
    for (const other of ['recd/data/child', 'recd/nosuch'])
      expect(await zfs.marked(['recd/data', other], 'edge-admin:snapshot')).toEqual([
        {
          name: 'recd/data@hourly-20261121-090000',
          mark: 'hourly',
          txg: expect.any(Number),
          holds: 0,
          clones: [],
        },
      ])
  })
})

describe('the driver reads what ZFS 2.3 says of values with tabs and line ends', () => {
  it('the place of a dataset, and where it is mounted', async () => {
    const rows: DatasetRow[] = []
    await zfs.datasets('recd/odd', (row) => rows.push(row))
    const places = ['/mnt/odd\tplace\nand more', '/mnt/odd\tplace\nand more/child']
    expect(rows.map(({ name, mountpoint }) => [name, mountpoint])).toEqual([
      ['recd/odd', places[0]],
      ['recd/odd/child', places[1]],
    ])
    expect(await zfs.mounted('recd/odd')).toEqual(places)
    expect(await zfs.mounted('recd')).toEqual([
      '/mnt/recd',
      '/mnt/recd/copy',
      '/mnt/recd/data',
      '/mnt/recd/data/child',
      '/mnt/recd/other',
    ])
  })

  it('a policy of nobody, with a line in it about another dataset', async () => {
    const value = 'a\tb\nrecd/odd/child\tedge-admin:policy\tlocal\thourly=9'
    expect([...(await zfs.local('edge-admin:policy', 'recd/odd'))]).toEqual([['recd/odd', value]])
  })

  it('a mark of nobody, and none that a snapshot has only inherited', async () => {
    const found = await zfs.marked(['recd/odd', 'recd/marked'], 'edge-admin:snapshot')
    expect(found.map(({ name, mark }) => [name, mark])).toEqual([
      ['recd/marked@hourly-20200102-000000', 'hourly'],
      ['recd/odd@one', 'a\tb\nc'],
    ])
  })
})

describe('holds', () => {
  it('are read as ZFS 2.3 prints them, also tags with tabs and line ends', async () => {
    expect([...(await zfs.holds(['recd/data@one']))]).toEqual([['recd/data@one', ['backup', 'audit']]])
    expect([...(await zfs.holds(['recd/odd@one']))]).toEqual([['recd/odd@one', ['a\tb\nc']]])
    for (const text of [
      'garbage\n',
      'tank@a\tx\n',
      'tank@a\tx\ttime',
      'tank@a\tx\ttime\ngarbage\n',
      'tank@b\tx\ttime\n',
    ])
      await expect(saying(text).holds(['tank@a'])).rejects.toMatchObject({ reason: 'output' })
  })

  it('and marks of ten thousand are asked for in portions that the kernel takes', async () => {
    const calls: string[][] = []
    const driver = createZfs(async (_name, args) => {
      calls.push(args)
      const stdout =
        args[0] === 'holds'
          ? args
              .slice(2)
              .map((name) => `${name}\tbackup\tnow\n`)
              .join('')
          : ''
      return { stdout, stderr: '', status: 0 }
    })
    const names = Array.from({ length: 10_001 }, (_, i) => `tank@${'x'.repeat(240)}-${i}`)
    expect([...(await driver.holds(names))]).toEqual(names.map((name) => [name, ['backup']]))
    await driver.marked(names, 'edge-admin:snapshot')
    const bytes = calls.map((args) => args.join(' ').length)
    expect(bytes.length).toBeGreaterThan(2)
    // Two million bytes are the most that Linux takes by default, and a quarter of the stack's limit the least.
    expect(Math.max(...bytes)).toBeLessThan(200_000)
  })
})

describe('a list of ten thousand snapshots', () => {
  const many = createZfs(async (_name, _args, { onOutput } = {}) => {
    for (let i = 0; i < 10_000; i += 100) {
      const lines = Array.from({ length: 100 }, (_, n) => `tank/d@s${i + n}\t${i + n}\t1700000000\n`)
      onOutput?.(Buffer.from(lines.join('')))
    }
    return { stdout: '', stderr: '', status: 0 }
  })
  const list = async (filter: object) => JSON.parse(String(await listSnapshots(many, filter))) as { name: string }[]

  it('is whole, in one or in parts', async () => {
    const all = await list({})
    expect([all.length, all[9999]]).toEqual([
      10_000,
      { name: 'tank/d@s9999', dataset: 'tank/d', size: 9999, created_at: '2023-11-14T22:13:20.000Z' },
    ])
    expect(await list({ offset: 9998, limit: 5 })).toEqual(all.slice(9998))
    expect(await list({ offset: 10, limit: 5000 })).toEqual(all.slice(10, 5010))
    expect(await list({ offset: 10_000 })).toEqual([])
    expect(await list({ limit: 0 })).toEqual([])
  })
})

const saying = (stdout: string) =>
  createZfs(
    async (_name, _args, { onOutput } = {}) => {
      onOutput?.(Buffer.from(stdout))
      return { stdout, stderr: '', status: 0 }
    },
    () => END,
  )
/** What `zfs get` says of one, its properties' values in the order that they were asked for. */
const answer = (name: string, values: Record<string, string>, source = '-') =>
  `${Object.entries(values)
    .map(([property, value]) => `${name}\t${property}\t${source}\t${value}\n`)
    .join('')}${name}\t${END}\t-\t-\n`

describe('a line that is none', () => {
  const one = { type: 'filesystem', used: '1', available: '1', volsize: '-', creation: '1', mountpoint: '/tank' }
  const row = answer('tank', one)

  it.each([
    'garbage\n',
    `garbage\n${row}`,
    `${row}garbage\n`,
    `${row}half a line`,
    `${row}tank\ttype\t-\tfilesystem\n`,
    row.replace(`tank\t${END}\t-\t-\n`, ''),
    row.replace('tank\tused', 'other\tused'),
    row.replace('\t-\t1\n', '\n'),
    row.replace('tank\tused', 'tank\tfree'),
    row.replace('\tmountpoint\t-\t/tank', '\tmountpoint\t-'),
    answer('tank', { ...one, used: 'x' }),
    answer('tank', { ...one, used: '-1' }),
    answer('tank', { ...one, used: '1\n' }),
    answer('tank', { ...one, type: 'snapshot' }),
    '\n',
    '\0\n',
  ])('%j ends in an error, not in an answer', async (text) => {
    await expect(saying(text).datasets(undefined, () => {})).rejects.toMatchObject({ reason: 'output' })
    await expect(listDatasets(saying(text), {})).rejects.toMatchObject({ kind: 'command-failed' })
  })

  it('of columns that ZFS alone fills is an error as well', async () => {
    for (const text of ['garbage\n', 'tank@a\t1\n', 'tank@a\t1\tx\n', 'tank@a\t1\t1\ttab\n', 'tank@a\t1\t1'])
      await expect(saying(text).snapshots(undefined, () => {})).rejects.toMatchObject({ reason: 'output' })
  })

  it('is not in a whole list', async () => {
    const rows: DatasetRow[] = []
    await saying(row).datasets(undefined, (found) => rows.push(found))
    expect(rows).toHaveLength(1)
  })
})

it('a letter that comes in two pieces is one letter', async () => {
  const bytes = Buffer.from(answer('tank/é€🦆', { 'a:b': 'ü' }, 'local'))
  const driver = createZfs(
    async (_name, _args, { onOutput } = {}) => {
      for (const byte of bytes) onOutput?.(Buffer.of(byte))
      return { stdout: '', stderr: '', status: 0 }
    },
    () => END,
  )
  expect([...(await driver.local('a:b'))]).toEqual([['tank/é€🦆', 'ü']])
})

describe('what is not known of one', () => {
  it('is left out, or is an error where ZFS always says it', async () => {
    const lines = 'type\tfilesystem\t-\ncreation\t1\t-\nodd\tlocal\na:b\tx\ty\tlocal\ntype\tforged\tlocal\n\n'
    expect([...((await saying(lines).get('tank')) ?? [])]).toEqual([
      ['type', { value: 'filesystem', source: '-' }],
      ['creation', { value: '1', source: '-' }],
      ['a:b', { value: 'x\ty', source: 'local' }],
    ])
    for (const half of ['type\tfilesystem\t-\n', 'creation\t1\t-\n', ''])
      await expect(saying(half).get('tank')).rejects.toMatchObject({ reason: 'output' })
  })

  it('is an error in a list of everything, of roots, and of a tree', async () => {
    const rows: unknown[] = []
    const census = (text: string) => saying(text).census((row) => rows.push(row))
    await census('t\tfilesystem\t1\t2\t3\nt/v\tvolume\t1\t2\t3\nt@a\tsnapshot\t4\t-\t-\n')
    expect(rows).toEqual([
      { name: 't', type: 'filesystem', created: 1, space: { used: 2, available: 3 } },
      { name: 't/v', type: 'volume', created: 1, space: { used: 2, available: 3 } },
      { name: 't@a', type: 'snapshot', created: 4, space: undefined },
    ])
    for (const text of ['t#a\tbookmark\t1\t2\t3\n', 't\tfilesystem\tx\t2\t3\n', 't\tvolume\t1\t-\t3\n'])
      await expect(census(text)).rejects.toMatchObject({ reason: 'output' })
    expect([...(await saying('t\t1\t2\t3\n').roots())]).toEqual([['t', { created: 1, used: 2, available: 3 }]])
    await expect(saying('t\t1\t2\t-\n').roots()).rejects.toMatchObject({ reason: 'output' })
    const tree = (text: string) => saying(text).tree('t')
    expect(await tree('t@a\tsnapshot\t77\t5\t2\tt/b,t/c\nt#a\tbookmark\t77\t5\t-\t-\n')).toEqual([
      { name: 't@a', type: 'snapshot', guid: '77', txg: 5, holds: 2, clones: ['t/b', 't/c'] },
      { name: 't#a', type: 'bookmark', guid: '77', txg: 5, holds: 0, clones: [] },
    ])
    for (const kind of ['filesystem', 'volume', 'snapshot', 'bookmark'])
      expect(await tree(`t\t${kind}\t77\t5\t-\t\n`)).toMatchObject([{ type: kind, clones: [] }])
    for (const text of ['t\tpool\t77\t5\t-\t-\n', 't\tvolume\t-\t5\t-\t-\n', 't\tvolume\t77\tx\t-\t-\n'])
      await expect(tree(text)).rejects.toMatchObject({ reason: 'output' })
  })

  it('is none where it is not mounted, or has no place', async () => {
    const text = ['yes /a', 'no /b', 'yes none', 'yes /c']
      .map((words, i) =>
        answer(`t/${i}`, { mounted: words.split(' ')[0] ?? '', mountpoint: words.split(' ')[1] ?? '' }),
      )
      .join('')
    expect(await saying(text).mounted('t')).toEqual(['/a', '/c'])
    const gone = createZfs(async (_name, args) => {
      throw new CommandError(['zfs', ...args], 'status', "cannot open 't': dataset does not exist", 1)
    })
    expect([await gone.mounted('t'), await gone.tree('t'), await gone.get('t')]).toEqual([[], undefined, undefined])
    const cut = createZfs(async (_name, args) => {
      throw new CommandError(['zfs', ...args], 'timeout', 'does not exist')
    })
    for (const call of [cut.mounted('t'), cut.tree('t'), cut.get('t')])
      await expect(call).rejects.toMatchObject({ reason: 'timeout' })
  })
})

describe('a value with tabs and line ends', () => {
  /** As far as they go, lines about others, in the very form that ZFS gives them. */
  const forged = (...lines: string[]) =>
    `x\n${lines.join('')}`.replace(/\n$/, '').replaceAll(END, 'edge-admin:end-guess')

  it('is one value, and no line about another dataset', async () => {
    const policy = 'edge-admin:policy'
    const value = forged(
      answer('tank/b', { [policy]: 'forged' }, 'local'),
      answer('tank/none', { [policy]: 'forged' }, 'local'),
    )
    const text = answer('tank/a', { [policy]: value }, 'local') + answer('tank/b', { [policy]: 'a\tb' }, 'local')
    expect([...(await saying(text).local(policy))]).toEqual([
      ['tank/a', value],
      ['tank/b', 'a\tb'],
    ])
    expect((await saying(text).local(policy, 'tank')).size).toBe(2)
  })

  it('is one mark, and no snapshot that is not there', async () => {
    const mark = 'edge-admin:snapshot'
    const numbers = { createtxg: '9', userrefs: '0', clones: '-' }
    const value = forged(answer('tank/a@two', { ...numbers, [mark]: 'hourly' }, 'local'))
    const text = answer('tank/a@one', { ...numbers, [mark]: value }, 'local')
    expect(await saying(text).marked(['tank/a'], mark)).toEqual([
      { name: 'tank/a@one', mark: value, txg: 9, holds: 0, clones: [] },
    ])
  })

  it('says where a mark is from: set or received counts, inherited does not', async () => {
    const mark = 'edge-admin:snapshot'
    for (const [source, count] of [
      ['local', 1],
      ['received', 1],
      ['inherited from tank/a', 0],
      ['-', 0],
    ] as const) {
      const values = { createtxg: '9', userrefs: '0', clones: '-', [mark]: 'hourly' }
      const found = await saying(answer('tank/a@one', values, source)).marked(['tank/a'], mark)
      expect([source, found.length]).toEqual([source, count])
    }
  })

  it('asks each time for another property that nobody has', async () => {
    const asked: string[] = []
    const driver = createZfs(async (_name, args) => {
      asked.push(args.at(-1) ?? '')
      return { stdout: '', stderr: '', status: 0 }
    })
    for (let i = 0; i < 3; i++) await driver.local('edge-admin:policy')
    expect(new Set(asked).size).toBe(3)
    for (const text of asked) expect(text).toMatch(/^edge-admin:policy,edge-admin:end-[0-9a-f]{24}$/)
  })
})

describe('a refusal of the real zfs comes to', () => {
  const cases: Record<string, [ErrorKind, string?]> = {
    'create-exists': ['exists'],
    'create-exists-volume': ['exists'],
    'create-parent-missing': ['not-found'],
    'create-pool-missing': ['not-found'],
    'create-parent-is-volume': ['invalid'],
    'create-pool-full': ['failed-precondition'],
    'create-volume-pool-full': ['failed-precondition'],
    'create-volume-too-big': ['failed-precondition'],
    'create-reservation-too-big': ['failed-precondition'],
    'create-name-long': ['invalid'],
    'create-property-value': ['invalid', 'options.compression'],
    'create-property-recordsize': ['invalid', 'options.recordsize'],
    'create-property-unknown': ['invalid', 'options.nosuch'],
    'create-property-of-volume': ['invalid', 'options.volsize'],
    'create-property-mountpoint': ['invalid', 'options.mountpoint'],
    'create-volume-blocksize': ['invalid', 'options.volblocksize'],
    'driver-create-mountpoint': ['invalid'],
    'driver-inherit-quota': ['invalid'],
    'set-quota-below-used': ['failed-precondition'],
    'set-volsize-odd': ['invalid', 'options.volsize'],
    'set-volsize-too-big': ['failed-precondition'],
    'set-readonly': ['invalid'],
    'set-unknown': ['invalid'],
    'set-no-such-dataset': ['not-found'],
    'destroy-busy': ['busy'],
    'destroy-volume-busy': ['busy'],
    'destroy-held': ['in-use'],
    'destroy-has-clones': ['in-use'],
    'destroy-has-children': ['in-use'],
    'destroy-has-snapshots': ['in-use'],
    'destroy-no-such-dataset': ['not-found'],
    'destroy-no-such-snapshot': ['not-found'],
    'driver-destroy-range-held': ['in-use'],
    'rollback-newer-snapshots': ['in-use'],
    'rollback-newer-has-clones': ['in-use'],
    'rollback-newer-held': ['busy'],
    'rollback-no-such-snapshot': ['not-found'],
    'snapshot-exists': ['exists'],
    'snapshot-dataset-missing': ['not-found'],
    'snapshot-pool-full': ['failed-precondition'],
    'unmount-busy': ['busy'],
  }
  it.each(Object.entries(cases))('%s: %j', (name, [kind, field]) => {
    const { command, status: exit, stderr } = recorded(`${FOLDER}/${name}`)
    expect(exit).not.toBe(0)
    const error = zfsFailure(new CommandError(command.split(' '), 'status', stderr, exit), 'tank/x')
    if (!(error instanceof ApiError)) throw error
    expect([error.kind, stderr.split('\n')]).toEqual([kind, expect.arrayContaining([error.message])])
    if (field) expect(error.details).toMatchObject({ field })
  })

  it('an error that does not blame the caller, when nobody knows the words', () => {
    const unknown = new CommandError(['/sbin/zfs', 'list'], 'status', 'internal error: out of memory', 1)
    expect(zfsFailure(unknown, 'tank')).toMatchObject({
      kind: 'command-failed',
      message: 'internal error: out of memory',
    })
    expect(zfsFailure(new CommandError(['zfs'], 'timeout'), 'tank')).toMatchObject({ kind: 'unavailable' })
    expect(zfsFailure(new CommandError(['zfs'], 'missing'), 'tank')).toMatchObject({ kind: 'unavailable' })
    const other = new Error('x')
    expect(zfsFailure(other, 'tank')).toBe(other)
  })
})
