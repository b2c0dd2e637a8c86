// An image that runs from memory: what the server and the commands change by themselves is saved by the image's tool,
// which lays links in the files' place. The tool here does so, too; the next change has to get past its link.
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { selfSigner } from '../../src/features/certs/self-sign.ts'
import { signLicense } from '../../src/features/license/license.ts'
import { saveNow } from '../../src/features/memory-image.ts'
import type { Folders } from '../../src/folders.ts'
import { renewSelfMade } from '../../src/http/server/self-made.ts'
import { layMemoryTool, type MemoryTool } from '../fakes/original/lay.ts'
import {
  type InProcess,
  installation,
  isRoot,
  startAppliance,
  startServer,
  TOKEN,
  temporaryFolder,
} from './appliance.ts'
import { keyOf, until } from './client.ts'

let box: InProcess | undefined
afterEach(async () => {
  await box?.close()
  box = undefined
})

async function start(token: string | null = TOKEN) {
  const environment: Record<string, string> = {}
  let tool: MemoryTool | undefined
  const made = await startAppliance({
    token,
    environment,
    scripts: join(installation(), 'scripts'),
    config: { 'first-run': { enabled: false } },
    prepare({ root }) {
      const prefix = join(root, 'machine')
      tool = layMemoryTool(prefix, [join(root, 'etc/api.token'), join(root, 'etc/api.token.setup')])
      environment['EDGE_NETROOT'] = prefix
    },
  })
  box = made
  const file = join(made.folders.root, 'etc/api.token')
  const saved = () => readFileSync(join(tool!.disk, 'sda1', file), 'utf8')
  const set = (sign: string, value: string) =>
    made.call('POST', '/setup', { sign, form: [{ name: 'newtoken', value }] })
  return { made, tool: tool!, file, saved, set }
}

describe('POST /setup', () => {
  it('saves each new token before it answers, past the link of the one before', async () => {
    const { made, tool, file, saved, set } = await start()
    for (const [old, value] of [
      [TOKEN, 'second'],
      ['second', 'third'],
    ] as const) {
      expect((await set(old, value)).status).toBe(200)
      expect([saved(), lstatSync(file).isSymbolicLink()]).toEqual([`sha256 ${keyOf(value)}\n`, true])
      expect((await made.call('GET', '/version', { sign: value })).status).toBe(200)
    }
    expect(tool.calls()).toEqual(['-c sda1', '-r sda1', '-c sda1', '-r sda1'])
    expect(made.warnings).toEqual([])
  })

  it('saves the first token as well', async () => {
    const { made, saved } = await start(null)
    const form = [{ name: 'newtoken', value: 'first' }]
    expect((await made.call('POST', '/setup', { nobody: true, form })).status).toBe(200)
    expect(saved()).toBe(`sha256 ${keyOf('first')}\n`)
  })

  it('tells of a tool that fails in the log, and the token is in force', async () => {
    const { made, set } = await start()
    writeFileSync(join(made.folders.root, 'machine/tool-fails'), '')
    expect((await set(TOKEN, 'second')).status).toBe(200)
    expect(made.warnings).toEqual([expect.stringContaining('could not be made persistent')])
    expect((await made.call('GET', '/version', { sign: 'second' })).status).toBe(200)
  })

  it('starts no task where the system keeps its files by itself', async () => {
    const { made, set } = await start()
    rmSync(join(made.folders.root, 'machine/etc/sysconfig/backup_device'))
    expect((await set(TOKEN, 'second')).status).toBe(200)
    expect(made.app.tasks.list()).toEqual([])
  })
})

it('a license of our own form replaces the link to the one before, and is saved', async () => {
  const { made, tool } = await start()
  const { root, state } = made.folders
  const file = join(root, 'etc/license.asc')
  symlinkSync(join(root, 'machine/old-license'), file)
  writeFileSync(join(root, 'machine/old-license'), 'old\n')
  const text = JSON.stringify({ app: 'a', users: 1, expires: '2099-01-01', name: 'n', contact: 'c' })
  const signed = signLicense(text, readFileSync(join(state, 'vendor/license.priv'), 'utf8'))
  const form = [{ name: 'license', value: signed, filename: 'license.asc' }]
  expect((await made.call('POST', '/license', { form })).status).toBe(200)
  expect([readFileSync(file, 'utf8'), tool.calls()]).toEqual([signed, ['-c sda1', '-r sda1']])
  expect(readFileSync(join(root, 'machine/old-license'), 'utf8')).toBe('old\n')
})

describe('what is put back while somebody saves the state', () => {
  const CHANGES = {
    license: {
      path: '/license',
      files: ['etc/license.asc'],
      form: (name: string) => [{ name: 'license', value: `${name}\n`, filename: 'license.asc' }],
      hook: 'license',
      /** The vendor accepts what holds `good`. */
      good: `grep -q good "$EDGE_ROOT/etc/license.asc"`,
    },
    settings: {
      path: '/settings',
      files: ['sysconf/network.conf', 'etc/network.json', 'etc/app.json'],
      form: (name: string) => [
        {
          name: 'settings',
          value: JSON.stringify({ network: { interface: 'eth0', hostname: `${name}.host` }, app: { name } }),
          filename: 'settings.json',
        },
      ],
      hook: 'network',
      good: `grep -q good "$EDGE_SYSCONFDIR/network.conf"`,
    },
    storage: {
      path: '/storage',
      files: ['sysconf/storage.conf', 'etc/storage.json'],
      form: (name: string) => [
        {
          name: 'settings',
          value: JSON.stringify({
            storage: { type: 'nfs', ip: '192.0.2.9', share: `/${name}`, mount_options: 'rw,soft' },
          }),
          filename: 'settings.json',
        },
      ],
      hook: 'storage',
      good: `grep -q good "$EDGE_SYSCONFDIR/storage.conf"`,
    },
  }
  async function begin(kind: string, change: (typeof CHANGES)[keyof typeof CHANGES]) {
    const environment: Record<string, string> = {}
    let tool: MemoryTool | undefined
    const made = await startAppliance({
      environment,
      scripts: join(installation(), 'scripts'),
      prepare({ root }) {
        const prefix = join(root, 'machine')
        for (const name of change.files) rmSync(join(root, name), { force: true })
        tool = layMemoryTool(
          prefix,
          change.files.map((name) => join(root, name)),
        )
        environment['EDGE_NETROOT'] = prefix
        const save = `'${prefix}/usr/bin/symlinktool.sh'`
        // Somebody saves the state while the vendor looks at what it then refuses.
        const body = `if ${change.good}; then echo '{}'; exit; fi; ${save} -c sda1 && ${save} -r sda1; exit 1`
        writeFileSync(join(root, `bin/${change.hook}.sh`), `#!/bin/sh\n${body}\n`, { mode: 0o755 })
      },
    })
    box = made
    const at = (name: string) => join(made.folders.root, name)
    const ask = async (name: string) => {
      await made.call('POST', change.path, { form: change.form(name) })
      await until('it has ended', () => !made.app.tasks.isRunning(kind) && !made.app.tasks.isClaimed(kind))
      return made.app.tasks.latest(kind)?.status
    }
    return { tool: tool!, at, ask }
  }

  it.each(Object.entries(CHANGES))('is the old content, here and on the disk: %s', async (kind, change) => {
    const { tool, at, ask } = await begin(kind, change)
    expect(await ask('good')).toBe('completed')
    expect(change.files.map((name) => lstatSync(at(name)).isSymbolicLink())).toEqual(change.files.map(() => true))
    const seen = () =>
      change.files.flatMap((name) =>
        [at(name), join(tool.disk, 'sda1', at(name))].map((file) => readFileSync(file, 'utf8')),
      )
    const before = seen()
    const { mode } = statSync(at(change.files[0] as string))
    expect(await ask('bad')).toBe('failed')
    expect(seen()).toEqual(before)
    expect(statSync(at(change.files[0] as string)).mode).toBe(mode)
    expect(tool.calls().slice(-2)).toEqual(['-c sda1', '-r sda1'])
    tool.boot()
    expect(seen()).toEqual(before)
  })

  it.each(Object.entries(CHANGES))('is nothing where nothing was, also at the next boot: %s', async (kind, change) => {
    const { tool, at, ask } = await begin(kind, change)
    expect(await ask('bad')).toBe('failed')
    const left = () => change.files.filter((name) => lstatSync(at(name), { throwIfNoEntry: false }))
    expect(left()).toEqual([])
    expect(tool.calls()).toEqual(['-c sda1', '-r sda1', '-c sda1', '-r sda1'])
    tool.boot()
    expect(left()).toEqual([])
  })
})

describe('the certificate that the server makes at its first start', () => {
  it('is saved, and made anew past the link to it', async () => {
    const environment: Record<string, string> = {}
    let tool: MemoryTool | undefined
    const pki = ({ sysconf }: Folders) =>
      ['private/enterprise.key', 'certs/enterprise.crt'].map((name) => join(sysconf, 'pki/tls', name))
    const server = await startServer({
      tls: true,
      environment,
      prepare(folders) {
        const prefix = join(folders.root, 'machine')
        tool = layMemoryTool(prefix, pki(folders))
        environment['EDGE_NETROOT'] = prefix
      },
    })
    try {
      await until('it is saved', () => tool?.calls().includes('-r sda1'))
      await until('links lie there', () => pki(server.folders).every((file) => lstatSync(file).isSymbolicLink()))
      const { folders } = server
      const now = Date.now() + 10 * 366 * 24 * 3600_000
      const renewal = { folders, host: '::', now, installing: () => false, sign: selfSigner(folders) }
      expect(await renewSelfMade(renewal)).toEqual(expect.any(String))
      expect(pki(folders).map((file) => lstatSync(file).isSymbolicLink())).toEqual([true, false])
    } finally {
      await server.close()
    }
  })
})

describe.each(['as root', 'as root, for a server of another user'])('edge-admin token, %s', (how) => {
  it.for([
    ['set', 'a-new-one\n'],
    ['rotate', ''],
  ] as const)('%s saves the token', ([action, input], { skip }) => {
    if (!isRoot) skip('only root saves it')
    const root = temporaryFolder()
    for (const name of ['etc', 'tmp/incoming']) mkdirSync(join(root, name), { recursive: true })
    chmodSync(root, 0o755)
    if (how !== 'as root') for (const name of ['etc', 'tmp/incoming']) chownSync(join(root, name), 4711, 4711)
    const prefix = join(root, 'machine')
    const tool = layMemoryTool(prefix, [join(root, 'etc/api.token')])
    const token = () =>
      spawnSync(process.execPath, [join(installation(), 'edge-admin.js'), 'token', action, '--root', root], {
        input,
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] ?? '', EDGE_NETROOT: prefix },
      })
    const first = token()
    // The link of the first one is in the way of the second.
    const second = token()
    expect([first.status, second.status, tool.calls()], first.stderr + second.stderr).toEqual([
      ...[0, 0],
      ['-c sda1', '-r sda1', '-c sda1', '-r sda1'],
    ])
    const value = action === 'set' ? 'a-new-one' : second.stdout.trim()
    expect(readFileSync(join(tool.disk, 'sda1', root, 'etc/api.token'), 'utf8')).toBe(`sha256 ${keyOf(value)}\n`)
    writeFileSync(join(prefix, 'tool-fails'), '')
    const third = token()
    expect([third.status, third.stderr]).toEqual([
      1,
      expect.stringContaining('the token is in force but not saved, and is lost at the next boot: the disk is gone\n'),
    ])
    expect(existsSync(join(root, 'etc/api.token'))).toBe(true)
  })
})

describe('a tool that hangs', () => {
  /** Also what has left its session. */
  const lay = () => {
    const root = temporaryFolder()
    mkdirSync(join(root, 'etc'))
    const prefix = join(root, 'machine')
    layMemoryTool(prefix, [])
    const pids = join(root, 'pids')
    const lines = [`echo $$ >'${pids}.new'`, `setsid sleep 600 & echo $! >>'${pids}.new'`, `mv '${pids}.new' '${pids}'`]
    writeFileSync(join(prefix, 'usr/bin/symlinktool.sh'), `#!/bin/sh\n${lines.join('\n')}\nwait\n`, { mode: 0o755 })
    const all = () => (existsSync(pids) ? readFileSync(pids, 'utf8').trim().split('\n') : [])
    const alive = () =>
      all().filter((pid) => existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')))
    return { root, prefix, all, alive }
  }

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'is ended with the command by %s, which says so',
    async (signal) => {
      const { root, prefix, all, alive } = lay()
      const argv = [join(installation(), 'edge-admin.js'), 'token', 'rotate', '--root', root]
      const child = spawn(process.execPath, argv, {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { PATH: process.env['PATH'] ?? '', EDGE_NETROOT: prefix },
      })
      let said = ''
      child.stderr.on('data', (chunk) => (said += chunk))
      const gone = new Promise((resolve) => child.once('close', resolve))
      if (!isRoot) return void (await gone)
      await until('the tool hangs', () => alive().length === 2)
      child.kill(signal)
      expect(await gone).toBe(1)
      expect(said).toMatch(
        /^the token is in force but not saved, and is lost at the next boot: the command was ended, and/,
      )
      await until('all of it is gone', () => alive().length === 0)
      expect(all()).toHaveLength(2)
    },
  )

  it('is ended after its time', async () => {
    const { root, prefix, all, alive } = lay()
    expect(await saveNow({ root, prefix, longest: 1000 })).toBe(
      'the tool of this image took longer than 1 seconds, and was ended',
    )
    await until('all of it is gone', () => alive().length === 0)
    expect(all().length).not.toBe(1)
  })
})
