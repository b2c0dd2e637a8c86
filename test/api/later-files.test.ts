// A part of the program that could not be read when it was needed first: Node would refuse to import it until the next
// start. Only the real program shows it.
import { spawnSync } from 'node:child_process'
import { Agent, request } from 'node:http'
import { expect, it } from 'vitest'
import { startServer } from './appliance.ts'
import { file, multipart, PREFIX } from './client.ts'

it('is loaded by the next request after the file descriptors had run out', async () => {
  const server = await startServer()
  // One connection, opened before: a new one would need a descriptor.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const form = multipart([file('update', 'no package')])
  const ask = (method: string, path: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const target = new URL(`${PREFIX}${path}?hash=${server.hash(method, path)}`, server.url)
      const body = method === 'POST' ? form.body : ''
      const headers = method === 'POST' ? { 'content-type': form.type, 'content-length': body.length } : {}
      request(target, { agent, method, headers }, (answer) => {
        answer.resume()
        answer.on('end', () => resolve(answer.statusCode))
      })
        .on('error', reject)
        .end(body)
    })
  const descriptors = (most: string) => {
    const { status, stderr } = spawnSync('prlimit', ['--pid', `${server.process.pid}`, `--nofile=${most}:`])
    expect([status, `${stderr}`]).toEqual([0, ''])
  }
  try {
    expect(await ask('GET', '/version')).toBe(200)
    descriptors('3')
    expect(await ask('GET', '/update')).toBe(500)
    descriptors('1024')
    expect(await ask('GET', '/update')).not.toBe(500)
    // The library that reads forms is only loaded by a form.
    descriptors('3')
    expect(await ask('POST', '/update')).toBe(500)
    descriptors('1024')
    expect(await ask('POST', '/update')).not.toBe(500)
  } finally {
    agent.destroy()
    await server.close()
  }
})
