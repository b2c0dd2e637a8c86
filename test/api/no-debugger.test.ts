// SIGUSR1 opens no debugger, in a server that runs and in one that only just starts.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { installation, makeAppliance, type Server, startServer } from './appliance.ts'
import { until } from './client.ts'

let server: Server | undefined
afterAll(() => server?.close())

/** Ports on which a process listens. */
function listening(pid: number): number[] {
  const own = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1]
      } catch {
        // Closed meanwhile.
        return undefined
      }
    }),
  )
  return readFileSync(`/proc/${pid}/net/tcp`, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((part) => part[3] === '0A' && own.has(part[9]))
    .map((part) => Number.parseInt(part[1]?.split(':')[1] ?? '', 16))
}

describe('kill -USR1', () => {
  it('opens no port of a server, and the server lives', async () => {
    server = await startServer()
    const { pid } = server.process
    const own = [Number(new URL(server.url).port)]
    for (let i = 0; i < 5; i++) {
      server.process.kill('SIGUSR1')
      expect((await server.call('GET', '/version')).status).toBe(200)
      expect(listening(pid!)).toEqual(own)
    }
    expect(server.output()).not.toContain('Debugger')
  })

  it('neither ends one that is just starting nor stays open in it', async () => {
    const { folders } = makeAppliance()
    const child = spawn(
      `${installation()}/scripts/edge-admin`,
      [
        ...['serve', '--no-tls', '--port', '0', '--root', folders.root, '--sysconfdir', folders.sysconf],
        ...['--datadir', folders.data, '--statedir', folders.state],
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    )
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    const isNode = () => readlinkSync(`/proc/${child.pid}/exe`) === readlinkSync('/proc/self/exe')
    await until('the shell has become the server', isNode)
    const signals = setInterval(() => child.kill('SIGUSR1'), 5)
    try {
      const port = await until('the server listens', () => /"url":"http:\/\/127\.0\.0\.1:(\d+)"/.exec(output)?.[1])
      await until('it alone does', () => listening(child.pid!).join() === port)
      expect([child.exitCode, child.signalCode]).toEqual([null, null])
    } finally {
      clearInterval(signals)
      child.kill('SIGKILL')
    }
  })
})
