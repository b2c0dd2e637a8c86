// The backup script under both shells: the archive, its status file, the words of the original, and a fault at every
// step. To stop a running backup is the script's `cancel`; `run STOP` only deletes what a finished one left.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect } from 'vitest'
import {
  Appliance,
  checkpoints,
  ended,
  installation,
  isRoot,
  plant,
  removeTemporary,
  shells,
  temporaryFolder,
  tree,
  until,
} from './harness.ts'
import { faultsIn, inTurn } from './pairwise.ts'

afterAll(removeTemporary)

describe.each(shells())('backup.sh under $name', (shell) => {
  const it = inTurn(shell.name)
  let box: Appliance
  beforeEach(() => {
    box = new Appliance(shell)
    plant(box.data, {
      etc: { 'app.conf': 'a=1\n', deep: { 'x y': 'z' }, link: { link: '../home/file.txt' } },
      home: { 'file.txt': 'text' },
      var: { log: { messages: 'not wanted' } },
    })
    writeFileSync(box.etc('backup.txt'), 'etc home\n')
  })
  const start = (env?: Record<string, string>) => box.run('backup', ['START'], env)
  const json = () => box.read(box.uploads('backup.json'))
  const names = () =>
    spawnSync('tar', ['-tf', box.uploads('backup.tar')], { encoding: 'utf8' })
      .stdout.trim()
      .split('\n')
      .sort()
  const words = () => box.log('update_backup.log').map((line) => line.replace(/hash: [0-9a-f]{64}/, 'hash: H'))
  const settled = () => readdirSync(box.uploads()).sort()

  it('archives what the patterns name, and says so as the original does', async () => {
    const { exit, task, log } = await start()
    expect(exit, log).toBe(0)
    expect(task).toMatchObject({ status: 'completed', progress: 100 })
    const archive = readFileSync(box.uploads('backup.tar'))
    const hash = createHash('sha256').update(archive).digest('hex')
    const size = `${(Math.ceil(archive.length / 4096) * 4).toFixed(1)}K`
    expect(json()).toBe(`{"status":"success","filesize":"${size}","sha256":"${hash}"}`)
    expect(names()).toEqual(['etc/', 'etc/app.conf', 'etc/deep/', 'etc/deep/x y', 'etc/link', 'home/', 'home/file.txt'])
    expect(tree(box.uploads())['backup.tar']).toMatch(/^file 640/)
    expect(tree(box.uploads())['backup.json']).toMatch(/^file 644/)
    expect(words()).toEqual([
      '[T][SYSTEM] Validating backup file size',
      '[T][SYSTEM] Starting backup',
      `Created file: ${box.uploads('backup.tar')} - size: ${size} - hash: H`,
      '[T][SYSTEM] Backup complete',
    ])
    expect(settled()).toEqual(['backup.json', 'backup.tar'])
    const out = temporaryFolder()
    spawnSync('tar', ['-xf', box.uploads('backup.tar'), '-C', out])
    const want = tree(box.data)
    for (const path of Object.keys(want)) if (path.startsWith('var')) delete want[path]
    expect(tree(out)).toEqual(want)
  })

  it('takes each name once, whatever the patterns and the names look like', async () => {
    plant(box.data, {
      '-C': 'x',
      'a b': { '*': 'star', 'c d': 'x' },
      '.dot': 'x',
      '.edge-admin-restore': { left: 'x' },
    })
    writeFileSync(box.etc('backup.txt'), ' etc/*  ./etc/ etc/app.conf\n-* a*/* nothing*\n\t.dot')
    expect((await start()).log).not.toContain('tar:')
    expect(names()).toEqual([
      './-C',
      '.dot',
      'a b/*',
      'a b/c d',
      'etc/',
      'etc/app.conf',
      'etc/deep/',
      'etc/deep/x y',
      'etc/link',
    ])
    writeFileSync(box.etc('backup.txt'), '. etc')
    await start()
    const all = Object.entries(tree(box.data)).map(([path, text]) => (text.startsWith('folder') ? `${path}/` : path))
    const wanted = all
      .filter((path) => !path.startsWith('.edge-admin-restore'))
      .map((path) => (path === '-C' ? './-C' : path))
    expect(names()).toEqual(wanted.sort())
  })

  const WRONG = 'The list of what to back up is missing or wrong'
  const outside = (name: string) => `${WRONG}: not below the data folder: ${name} (backup.txt)`
  const EMPTY = 'There is nothing to back up: nothing is there that backup.txt lists'
  it.each<[list: string | Buffer, message: string]>([
    ['/etc', outside('/etc')],
    ['etc ../root', outside('../root')],
    ['etc/../../root', outside('etc/../../root')],
    ['..', outside('..')],
    ['nothing', EMPTY],
    ['', EMPTY],
    [' \n', EMPTY],
    [Buffer.from('\ufeffetc\r\nhome\r\n', 'utf16le'), `${WRONG}: saved as UTF-16, expected UTF-8: backup.txt`],
    [Buffer.from('etc\nhome\n', 'utf16le'), `${WRONG}: holds NUL bytes, expected UTF-8: backup.txt`],
  ])('fails for the list %j, and says why', async (list, message) => {
    writeFileSync(box.etc('backup.txt'), list)
    expect(await start()).toMatchObject({ exit: 1, task: { status: 'failed', error: { code: 'E1000', message } } })
    expect(json()).toBe('{"status":"failed"}')
    expect(settled()).toEqual(['backup.json'])
    expect(words()).toEqual(
      ['Validating backup file size', message, 'Backup failed'].map((line) => `[T][SYSTEM] ${line}`),
    )
  })

  it('says which name of the list is not there, and backs up the others', async () => {
    writeFileSync(box.etc('backup.txt'), 'etc hmoe/ nothing*\n')
    expect((await start()).task.status).toBe('completed')
    expect(words()).toContain('[T][SYSTEM] left out: not there: hmoe/')
    expect(words().filter((line) => line.includes('left out'))).toHaveLength(1)
  })

  it('fails without a list, and replaces an archive that was there', async () => {
    await start()
    rmSync(box.etc('backup.txt'))
    expect((await start()).task).toMatchObject({ status: 'failed', message: `${WRONG}: not there: backup.txt` })
    expect(json()).toBe('{"status":"failed"}')
    expect(settled()).toEqual(['backup.json'])
    mkdirSync(box.etc('backup.txt'))
    expect((await start()).task.message).toBe(`${WRONG}: not a file that can be read: backup.txt`)
  })

  it.both.for<[name: string, df: string, stat: string]>([
    ['fails, and stat knows', 'echo "df: /x: cannot find mount point" >&2; exit 1', 'exec /usr/bin/stat "$@"'],
    ['fails, and stat as well', 'exit 1', 'exit 1'],
    ['prints no number', 'echo Filesystem; echo "x - - - - /"', 'exit 1'],
    ['knows no size', 'echo Filesystem; echo "x 0 0 0 - /"', 'exit 1'],
    ['knows no size, and calls that none used', 'echo Filesystem; echo "x 0 0 0 0% /"', 'exit 1'],
    ['fails, and stat knows no size', 'exit 1', 'echo 0 0 4096'],
    ['has a name with blanks', 'echo Filesystem; echo "a b 99999 9 90000 1% /mnt 1"', 'exit 1'],
    ['has no room', 'echo Filesystem; echo "x 99999 90000 9999 91% /"', 'exec /usr/bin/stat "$@"'],
    ['has less than none', 'echo Filesystem; echo "x 99999 99999 -99 101% /"', 'exec /usr/bin/stat "$@"'],
  ])('takes a disk for full by a number only: df %s', async ([name, df, stat], context) => {
    if (shell.path) return context.skip('busybox takes its own applets, whatever the path says')
    const fake = temporaryFolder()
    const others = '[ "$1" = -f ] || exec /usr/bin/stat "$@"'
    writeFileSync(join(fake, 'df'), `#!/bin/sh\n${df}\n`, { mode: 0o755 })
    writeFileSync(join(fake, 'stat'), `#!/bin/sh\n${others}\n${stat}\n`, { mode: 0o755 })
    const { task, log } = await start({ EDGE_PATH: fake })
    const isFull = /^has (no|less)/.test(name)
    expect(task.status, log).toBe(isFull ? 'failed' : 'completed')
    if (isFull) expect(task.message).toMatch(/^Backup archive is too large: \d+ of -?\d+ KiB$/)
    expect(log.includes('nothing here says how much room is left')).toBe(/as well|no number|no size/.test(name))
  })

  it('leaves out what a restore would not take, by name, and what it takes can be restored', async () => {
    const home = (name: string | Buffer) => Buffer.concat([Buffer.from(`${box.data}/home/`), Buffer.from(name)])
    const raw = (text: string) => Buffer.from(text, 'latin1')
    const want = tree(box.data)
    for (const path of Object.keys(want)) if (path.startsWith('var')) delete want[path]
    spawnSync('mkfifo', [home('pipe').toString()])
    spawnSync('python3', [
      '-c',
      'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])',
      home('socket').toString(),
    ])
    if (isRoot) spawnSync('mknod', [home('device').toString(), 'c', '1', '3'])
    writeFileSync(home(raw('K\xe4se')), 'bytes')
    writeFileSync(home('line\nbreak'), 'x')
    writeFileSync(join(box.data, 'line\nbreak'), 'x')
    mkdirSync(home(raw('\xff')))
    writeFileSync(home(raw('\xff/inside')), 'x')
    writeFileSync(home('case'), 'x')
    writeFileSync(home('CASE'), 'x')
    symlinkSync('/etc/passwd', home('absolute'))
    symlinkSync('../../elsewhere', home('outside'))
    mkdirSync(home('d/'.repeat(70)), { recursive: true })
    writeFileSync(home('set-id'), 'x', { mode: 0o755 })
    chmodSync(home('set-id'), 0o4755)
    linkSync(home('file.txt'), home('second name'))
    writeFileSync(box.etc('backup.txt'), 'etc home line*')
    const { exit, log } = await start()
    expect(exit, log).toBe(0)
    expect(json()).toContain('"success"')
    const told = words().filter((line) => line.includes('left out') || line.includes('taken'))
    for (const line of [
      '"home/pipe": left out: a pipe',
      '"home/socket": left out: a socket',
      ...(isRoot ? ['"home/device": left out: a device'] : []),
      '"home/K\\xe4se": left out: a name that is not UTF-8',
      '"home/\\xff": left out: a name that is not UTF-8',
      '"home/line\\nbreak": left out: a control character in a name',
      'left out: a line break in the name line?break',
      '"home/case": left out: two names that differ by letter case only',
      '"home/absolute": left out: a link to an absolute name',
      '"home/outside": left out: a link that leads outside',
      '"home/set-id": taken without its set-user-id and set-group-id bits',
    ])
      expect(told).toContain(`[T][SYSTEM] ${line}`)
    expect(told.filter((line) => line.includes('folders too deep'))).toHaveLength(1)
    expect(told).toHaveLength(isRoot ? 12 : 11)
    const elsewhere = new Appliance(shell)
    const bytes = readFileSync(box.uploads('backup.tar'))
    const restored = await elsewhere.run('restore', [], {}, { 'backup-archive.tar': bytes })
    expect(restored.exit, restored.log).toBe(0)
    const back = tree(elsewhere.data)
    expect(back).toMatchObject({ ...want, 'home/second name': want['home/file.txt'], 'home/CASE': expect.any(String) })
    expect(lstatSync(join(elsewhere.data, 'home/second name')).nlink).toBe(2)
  })

  it('names no more than a hundred of what it leaves out, and says how many more', async () => {
    for (let n = 0; n < 103; n++) symlinkSync('/nowhere', join(box.data, `home/link-${n}`))
    expect((await start()).exit).toBe(0)
    expect(words().filter((line) => line.includes('left out'))).toHaveLength(100)
    expect(words()).toContain('[T][SYSTEM] and 3 more: see the log of the task')
  })

  it('fails when nothing is left that a restore would take', async () => {
    rmSync(join(box.data, 'etc'), { recursive: true })
    rmSync(join(box.data, 'home'), { recursive: true })
    symlinkSync('/nowhere', join(box.data, 'home'))
    expect((await start()).task).toMatchObject({
      status: 'failed',
      error: { message: 'The backup archive cannot be written: there is nothing that a restore would take' },
    })
    expect(settled()).toEqual(['backup.json'])
  })

  it('does not write through a link that lies where its own file goes', async () => {
    const victim = join(box.folder, 'victim')
    writeFileSync(victim, 'precious')
    symlinkSync(victim, box.uploads('.backup.tar.partial'))
    symlinkSync(victim, box.uploads('backup.tar'))
    expect((await start()).exit).toBe(0)
    expect(box.read(victim)).toBe('precious')
    expect(tree(box.uploads())['backup.tar']).toMatch(/^file/)
  })

  it('does not write through a link that is laid there while it works', async () => {
    const victim = join(box.folder, 'victim')
    writeFileSync(victim, 'precious')
    const id = box.create('backup', ['START'])
    const end = ended(box.start(id, 'run', { EDGE_FAULT: 'backup-sized=pause' }))
    await until('it pauses', () => existsSync(box.task(id, 'paused')))
    symlinkSync(victim, box.uploads('.backup.tar.partial'))
    rmSync(box.task(id, 'paused'))
    expect(await end).toBe(1)
    expect(box.read(victim)).toBe('precious')
    expect(settled()).toEqual(['backup.json'])
  })

  it('deletes a finished backup on STOP, and does nothing when there is none', async () => {
    await start()
    expect((await box.run('backup', ['STOP'])).task.status).toBe('completed')
    expect(settled()).toEqual([])
    expect(words().slice(-1)).toEqual(['[T][SYSTEM] Deleting backup archive'])
    const before = words()
    expect((await box.run('backup', ['STOP'])).exit).toBe(0)
    expect(words()).toEqual(before)
    expect((await box.run('backup', ['OTHER'])).task.status).toBe('failed')
    expect(settled()).toEqual([])
  })

  it.each(['backup-sized', 'backup-written', 'backup-renamed'])('is stopped by cancel at %s', async (step) => {
    const id = box.create('backup', ['START'])
    const end = ended(box.start(id, 'run', { EDGE_FAULT: `${step}=hang` }))
    await until(
      'it hangs',
      () =>
        box.status(id).message === { 'backup-sized': 'Starting backup', 'backup-written': 'writing done' }[step] ||
        box.status(id).message === 'hashing',
    )
    expect((await box.run('backup', ['START'])).exit).toBe(75)
    expect(json()).toBe('{"status":"running"}')
    expect(await box.act(id, 'cancel')).toBe(0)
    expect(await end).toBe('SIGKILL')
    expect(box.status(id).status).toBe('cancelled')
    expect(settled()).toEqual([])
    expect(words()).toContain('[T][SYSTEM] Stopping backup')
    expect(box.lockIsFree('backup')).toBe(true)
  })

  const steps = ['backup-started', 'backup-sized', 'backup-written', 'backup-renamed', 'backup-hashed']
  it('has a row in the fault table for every checkpoint', () => {
    expect(checkpoints('scripts/backup.sh').filter((step) => step !== 'backup-stopping')).toEqual(steps)
  })
  it.both.each(faultsIn(shell.name, steps))(
    'fails by itself and lets the next one through: %s, %s',
    async (step, what) => {
      const id = box.create('backup', ['START'])
      expect(await box.act(id, 'run', { EDGE_FAULT: `${step}=${what}` })).toBe(what === 'kill' ? 'SIGKILL' : 1)
      await box.act(id, 'recover')
      expect(json()).toBe('{"status":"failed"}')
      expect(settled()).toEqual(['backup.json'])
      expect(words().slice(-1)).toEqual(['[T][SYSTEM] Backup failed'])
      expect(box.status(id).status).toBe(what === 'kill' ? 'interrupted' : 'failed')
      expect(box.lockIsFree('backup')).toBe(true)
      const after = tree(box.folder)
      await box.act(id, 'recover')
      expect(tree(box.folder)).toEqual(after)
      expect((await start()).task.status).toBe('completed')
      expect(json()).toContain('"success"')
    },
  )

  it('stays successful when only its task did not hear of it', async () => {
    const { id } = await start()
    const before = json()
    writeFileSync(box.task(id, 'status.json'), JSON.stringify({ ...box.status(id), status: 'running', progress: 80 }))
    await box.act(id, 'recover')
    expect(json()).toBe(before)
    expect(box.status(id).status).toBe('completed')
    expect(existsSync(box.uploads('backup.tar'))).toBe(true)
  })

  it('takes the status away before the archive that it speaks of', async () => {
    await start()
    const id = box.create('backup', ['STOP'])
    expect(await box.act(id, 'run', { EDGE_FAULT: 'backup-stopping=kill' })).toBe('SIGKILL')
    expect(settled()).toEqual(['backup.tar'])
    await box.act(id, 'recover')
    expect(settled()).toEqual([])
    expect(box.status(id).status).toBe('completed')
  })

  it('finishes a deletion that died', async () => {
    await start()
    const id = box.create('backup', ['STOP'])
    await box.act(id, 'recover')
    expect(settled()).toEqual([])
  })

  it.skipIf(!isRoot)('refuses, or fails, when the disk of the uploads is too small, and leaves nothing', async () => {
    writeFileSync(join(box.data, 'etc/big'), Buffer.alloc(3 << 20))
    const inside = async (size: string) => {
      const id = box.create('backup', ['START'])
      const [program, ...rest] = shell.command
      const script = join(installation(), 'scripts/backup.sh')
      mkdirSync(join(box.folder, 'out'), { recursive: true })
      const command = `mount -t tmpfs -o size=${size} none "$EDGE_ROOT/home/sftp/uploads" && { "$@"; rc=$?; cp "$EDGE_ROOT"/home/sftp/uploads/* "${box.folder}/out"; ls -A "$EDGE_ROOT/home/sftp/uploads" | tr '\\n' ' '; exit $rc; }`
      const env = {
        PATH: process.env['PATH'],
        EDGE_ROOT: box.root,
        EDGE_SYSCONFDIR: box.folder,
        EDGE_DATADIR: box.data,
        EDGE_STATEDIR: box.state,
        ...(shell.path ? { EDGE_PATH: shell.path } : {}),
      }
      const argv = ['-m', 'sh', '-c', command, 'sh', program!, ...rest, script, 'run', box.task(id), 'START']
      const { stdout, stderr } = spawnSync('unshare', argv, { encoding: 'utf8', env })
      expect(stdout.trim().endsWith('backup.json'), stdout + stderr).toBe(true)
      expect(box.read(join(box.folder, 'out/backup.json'))).toBe('{"status":"failed"}')
      expect(box.status(id).status).toBe('failed')
    }
    await inside('18m')
    expect(words().slice(-2)).toEqual([
      expect.stringMatching(/Backup archive is too large: 3\d\d\d of \d+ KiB/),
      '[T][SYSTEM] Backup failed',
    ])
  })
})
if (!isRoot) console.log('the full disk is not tested: that takes root')
