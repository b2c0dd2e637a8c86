// The end of the server while it holds requests back. A task outlives it, so a request that waits for one must not wait
// with it: it has to be answered, or its client never hears of the task, and its Idempotency-Key has no answer.
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { isHeld } from '../../src/store/lock.ts'
import { startServer } from './appliance.ts'
import { until } from './client.ts'
import { addCaller, ask, ON } from './controller.ts'

const ID = '20260101T000000000Z-0000'

it('answers what waits for a task, on a connection that is kept as well, and is gone before anything has to be cut', async () => {
  const server = await startServer(ON)
  const lock = join(server.folders.state, 'locks/held.lock')
  const holder = spawn('flock', [lock, 'sleep', '600'], { stdio: 'ignore', detached: true })
  const agent = new Agent({ keepAlive: true })
  try {
    await until('the lock is held', () => isHeld(lock))
    const folder = join(server.folders.state, 'tasks', ID)
    mkdirSync(folder, { recursive: true })
    const task = {
      id: ID,
      kind: 'held',
      status: 'running',
      progress: 7,
      message: '',
      created_at: '2026-01-01T00:00:00Z',
    }
    writeFileSync(join(folder, 'request.json'), JSON.stringify({ lock: 'held', args: [] }))
    writeFileSync(join(folder, 'status.json'), JSON.stringify(task))
    const { token } = await addCaller(server.folders, 'viewer')
    const path = `/api/v1/jobs/${ID}`
    const kept = new Promise<number | undefined>((resolve, reject) => {
      const options = { agent, headers: { authorization: `Bearer ${token}` } }
      request(`${server.url}${path}?wait=200`, options, (response) => {
        response.resume().once('end', () => resolve(response.statusCode))
      })
        .once('error', reject)
        .end()
    })
    const waiting = ask(server.url, 'GET', `${path}?wait=200`, { bearer: token })
    // The one behind them is answered, so they are being held.
    expect((await ask(server.url, 'GET', path, { bearer: token })).json.progress).toBe(7)
    const began = performance.now()
    const gone = server.kill('SIGTERM')
    const { status, json } = await waiting
    expect([status, json.status, await kept]).toEqual([200, 'running', 200])
    await gone
    expect(server.process.exitCode).toBe(0)
    // Five seconds is when the rest is cut.
    expect(performance.now() - began).toBeLessThan(4500)
  } finally {
    agent.destroy()
    if (holder.pid) process.kill(-holder.pid, 'SIGKILL')
    await server.close()
  }
}, 60_000)

it('writes what it has gathered, once, also while a request whose body does not come holds the port', async () => {
  const server = await startServer(ON)
  const held = connect(Number(new URL(server.url).port), '127.0.0.1')
  held.on('error', () => {})
  try {
    let heard = ''
    held.on('data', (chunk) => {
      heard += chunk
    })
    held.write(
      'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n',
    )
    await until('the server waits for the body', () => heard.includes('100 Continue'))
    const path = '/api/v1/pools/gone'
    for (let i = 0; i < 50; i++) await ask(server.url, 'DELETE', path, { bearer: 'x.y.z' })
    server.process.kill('SIGINT')
    await server.kill('SIGTERM')
    expect(server.process.exitCode).toBe(0)
    const text = readdirSync(server.folders.state, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /audit/.test(join(entry.parentPath, entry.name)))
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
      .join('\n')
    expect(text.match(/\b\d+ more in the minute/g)).not.toBeNull()
    expect(server.output().match(/"url":"\/api\/v1\/pools\/gone"|pools\/gone/g)).toHaveLength(50)
  } finally {
    held.destroy()
    await server.close()
  }
}, 60_000)
