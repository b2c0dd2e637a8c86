// What a thousand readers of events do to somebody else's latency. A client that waits for one answer before it sends
// the next request hides every stall but one; so requests go out by the clock, and each is measured from when it was
// due.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Appliance, Served } from './appliance.ts'
import { type Controller, serveController } from './controller.ts'
import { few, quantile, report } from './numbers.ts'
import { cpuTime, memory, stop } from './processes.ts'

const READERS = 1000
const SECONDS = 5
/** Milliseconds between two requests, and between two changes of the job: three looks in four find one. */
const EVERY = 5
const CHANGE = 330

export async function measureEvents(appliance: Appliance): Promise<void> {
  const served = await serveController(appliance, {
    config: { limits: { connections: 2 * READERS, 'connections-per-address': 2 * READERS } },
  })
  const idle = await probe(served)
  const before = memory(served.pid, 'VmRSS')
  const sockets = await Promise.all(Array.from({ length: READERS }, () => read(served)))
  const quiet = await probe(served)
  const job = makeJob(appliance.root)
  const cpu = cpuTime(served.pid)
  const timer = setInterval(job, CHANGE)
  const busy = await probe(served)
  clearInterval(timer)
  const cost = (cpuTime(served.pid) - cpu) / 1000 / SECONDS
  const each = ((memory(served.pid, 'VmRSS') - before) * 1024) / READERS
  const heard = sockets.map(({ bytes }) => bytes)
  for (const { socket } of sockets) socket.destroy()
  await stop(served.child)
  if (Math.min(...heard) === 0) throw new Error('a reader heard nothing')
  const all = (q: number) => [idle, quiet, busy].map((times) => few(quantile(times, q))).join(', ')
  const ratio = quantile(busy, 0.5) / quantile(idle, 0.5)
  report(
    `GET /healthz with ${READERS} readers of a changing job ÷ idle, median`,
    `${few(ratio)}x`,
    '<= 10x',
    ratio <= 10,
  )
  report('  ms idle, with quiet readers, with busy ones: p50', all(0.5))
  report('  p99', all(0.99))
  report('  the readers: CPU ms a second; KB each', `${few(cost)}; ${few(each)}`)
}

/** Milliseconds from when each request was due to the end of its answer. */
async function probe({ url }: Served): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const one = (due: number) =>
    new Promise<number>((resolve, reject) => {
      request(`${url}/healthz`, { agent }, (incoming) => {
        incoming.resume().once('end', () => resolve(performance.now() - due))
      })
        .once('error', reject)
        .end()
    })
  const begun = performance.now()
  const answers: Promise<number>[] = []
  for (let i = 0; i < (SECONDS * 1000) / EVERY; i++) {
    const due = begun + i * EVERY
    while (performance.now() < due) await new Promise((resolve) => setTimeout(resolve, due - performance.now()))
    answers.push(one(due))
  }
  const times = await Promise.all(answers)
  agent.destroy()
  return times
}

function read({ url, token }: Controller): Promise<{ socket: Socket; bytes: number }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) }, () =>
      socket.write(`GET /api/v1/jobs/events HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${token}\r\n\r\n`),
    )
    const reader = { socket, bytes: 0 }
    socket.once('error', reject)
    socket.once('data', () => resolve(reader))
    socket.on('data', (chunk) => {
      reader.bytes += chunk.length
    })
  })
}

/** Changes its one job at each call. */
function makeJob(root: string): () => void {
  const id = '20260101T000000000Z-0000'
  const folder = join(root, 'state/tasks', id)
  mkdirSync(folder, { recursive: true })
  let progress = 0
  return () => {
    progress = (progress + 1) % 100
    const task = {
      id,
      kind: 'bench',
      status: 'running',
      progress,
      message: 'half way',
      created_at: '2026-01-01T00:00:00Z',
    }
    writeFileSync(join(folder, 'next'), JSON.stringify(task))
    renameSync(join(folder, 'next'), join(folder, 'status.json'))
  }
}
