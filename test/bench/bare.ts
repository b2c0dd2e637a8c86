// The references of the benchmark: servers as small as node:http allows. Bundled and run by plain node, so that only
// what is measured differs. They answer the very bytes of the real one's body, but none of its headers.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'

const [kind = 'json', port = '0', token = '', file = ''] = process.argv.slice(2)
const key = createHash('sha256').update(token).digest('hex')

function json(outgoing: ServerResponse): void {
  const body = JSON.stringify({ version: '1.0.0' })
  outgoing.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length }).end(body)
}

function signed(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const [path = '', query = ''] = (incoming.url ?? '').split('?')
  const expected = createHmac('sha256', key).update(`${incoming.method}${path}`).digest('hex')
  const given = new URLSearchParams(query).get('hash') ?? ''
  if (given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected))) json(outgoing)
  else outgoing.writeHead(403).end()
}

async function store(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  await pipeline(incoming, createWriteStream(file, { flush: incoming.url === '/fsync' }))
  json(outgoing)
}

const server = createServer((incoming, outgoing) => {
  if (kind === 'hmac') signed(incoming, outgoing)
  else if (incoming.method === 'PUT') store(incoming, outgoing).catch((error) => outgoing.destroy(error))
  else json(outgoing)
})
server.listen(Number(port), '127.0.0.1')
