// The README as a newcomer uses it: `make run`, both tours pasted into a shell on another port than the one that they name, and the end.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { REPOSITORY, temporaryFolder } from './appliance.ts'
import { until } from './client.ts'

const README = readFileSync(join(REPOSITORY, 'README.md'), 'utf8')
const tour = (title: string) => /```sh\n([\s\S]*?)```/.exec(README.slice(README.indexOf(`\n## ${title}`)))?.[1] ?? ''

/** What a make above us would pass on is left out, and so is whatever port the tests themselves were started with. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(MAKE|MFLAGS|PORT$)/.test(name)))

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

const isOpen = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

interface Running {
  make: ChildProcess
  port: number
  /** A folder with `var` in it, as the repository has one. */
  folder: string
  output: () => string
}

const started: Running[] = []
afterEach(async () => {
  for (const { make, port, folder } of started.splice(0)) {
    make.kill('SIGTERM')
    await until('the server is gone', async () => !(await isOpen(port)), 60)
    rmSync(folder, { recursive: true, force: true })
  }
})

async function makeRun(...more: string[]): Promise<Running> {
  const folder = temporaryFolder()
  const port = await freePort()
  mkdirSync(join(folder, 'var'))
  for (const name of ['node_modules', 'package.json']) symlinkSync(join(REPOSITORY, name), join(folder, name))
  const make = spawn('make', ['run', `PORT=${port}`, ...more], {
    cwd: REPOSITORY,
    env: { ...env, VAR: join(folder, 'var') },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  for (const stream of [make.stdout, make.stderr])
    stream.on('data', (chunk) => {
      output += chunk
    })
  const running = { make, port, folder, output: () => output }
  started.push(running)
  await until(
    'make run says how to go on',
    () => {
      if (make.exitCode !== null) throw new Error(`make run ended: ${output}`)
      return output.includes('Accounts and storage') || undefined
    },
    120,
  )
  return running
}

/** A tour's lines as somebody pastes them, the output in a file. */
async function paste({ folder, port }: Running, lines: string): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', ['-c', `{ ${lines}\n} 2>&1`], {
    cwd: folder,
    env: { ...env, PORT: String(port) },
    timeout: 120_000,
  })
  return stdout
}

describe('the tours of the README', { timeout: 300_000 }, () => {
  it('work to their last line on another port, without ZFS', async () => {
    const running = await makeRun('FAKES=1')
    expect(running.output()).toContain('Its storage is FAKE')
    const first = await paste(running, tour('A first tour'))
    expect(first).toContain('{"version":"1.1.0"}')
    expect(existsSync(join(running.folder, 'var/backup.tar'))).toBe(true)
    // A failure of either surface has one of these members.
    expect(first).not.toMatch(/"Error-Message"|"Status":"[345]/)
    const second = await paste(running, tour('Storage'))
    expect(second).not.toMatch(/"code":/)
    expect(second).toContain('tank/data@before')
    expect(second).toContain('"confirm"')
  })
})

describe('make run', { timeout: 300_000 }, () => {
  // Ctrl-C reaches the whole group, the others only the process that somebody named.
  it.each([
    ['kill', 'SIGTERM', false],
    ['kill -9', 'SIGKILL', false],
    ['Ctrl-C', 'SIGINT', true],
  ] as const)('takes the server with it when it is ended by %s', async (_name, signal, group) => {
    const { make, port } = await makeRun()
    process.kill(group ? -(make.pid ?? 0) : (make.pid ?? 0), signal)
    expect(await until('the port is free', async () => !(await isOpen(port)), 60)).toBe(true)
  })
})
