// Forms over a real connection: a file of exactly the limit and one byte more, and what is left of each.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ApiError } from '../../src/http/errors.ts'
import { receive } from '../../src/http/upload.ts'

const LIMIT = 100_000
let folder: string
let server: Server
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-upload-'))
  server = createServer((incoming, response) => {
    const options = {
      form: { update: { kind: 'file' as const, description: 'the package', required: true, limit: () => LIMIT } },
      lastWins: false,
      extra: () => false,
      limit: () => LIMIT,
      folder: () => folder,
      idle: 30_000,
      authorize: () => {},
    }
    receive(incoming, options).then(
      ({ files }) => response.end(JSON.stringify(files['update'] ?? null)),
      (error: ApiError) => {
        incoming.resume()
        response.writeHead(error.status).end(error.message)
      },
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => {
  server?.closeAllConnections()
  server?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function send(bytes: number) {
  const form = new FormData()
  form.append('update', new Blob([Buffer.alloc(bytes, 'x')]), 'package')
  const { port } = server.address() as AddressInfo
  const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: form })
  return { status: answer.status, text: await answer.text() }
}

describe('a file in a form', () => {
  it('of exactly the limit is taken, whole', async () => {
    const { status, text } = await send(LIMIT)
    const { path, size } = JSON.parse(text)
    expect([status, size]).toEqual([200, LIMIT])
    expect(readFileSync(path)).toHaveLength(LIMIT)
    rmSync(path)
  })

  it('of one byte more is refused with both numbers, and nothing of it is left', async () => {
    const words = `File too large for option: update. Allowed: <= ${LIMIT} bytes, received: ${LIMIT + 1} bytes`
    expect(await send(LIMIT + 1)).toEqual({ status: 413, text: words })
    expect(readdirSync(folder)).toEqual([])
  })

  it('of no bytes at all is a file', async () => {
    const { status, text } = await send(0)
    expect([status, JSON.parse(text).size]).toEqual([200, 0])
    rmSync(JSON.parse(text).path)
  })
})
