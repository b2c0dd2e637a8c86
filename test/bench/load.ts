// A load generator: N connections, each sends a request when the answer to its last is there; nothing is pipelined.
// `wrk` does the same with less effort and is preferred. A slow client flatters a server, so requests a second are only
// compared within one run.
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { quantile } from './numbers.ts'

const [url = '', connections = '1', seconds = '1'] = process.argv.slice(2)
const { hostname, port, pathname, search, protocol } = new URL(url)
const request = `GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`
const end = performance.now() + Number(seconds) * 1000
const times: number[] = []
let failures = 0

/** Bytes of the answer that `text` begins with; undefined while it is not whole. */
function wholeAnswer(text: string): number | undefined {
  const head = text.indexOf('\r\n\r\n')
  const length = /content-length: (\d+)/i.exec(text)?.[1]
  if (head < 0 || length === undefined) return undefined
  return text.length >= head + 4 + Number(length) ? head + 4 + Number(length) : undefined
}

function client(): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { host: hostname, port: Number(port), rejectUnauthorized: false }
    const socket: Socket = protocol === 'https:' ? connectTls(options, send) : connect(options, send)
    let text = ''
    let sent = 0
    function send() {
      sent = performance.now()
      socket.write(request)
    }
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (wholeAnswer(text) === undefined) return
      if (!text.startsWith('HTTP/1.1 200')) failures += 1
      text = ''
      const now = performance.now()
      times.push(now - sent)
      if (now < end) send()
      else {
        socket.destroy()
        resolve()
      }
    })
  })
}

const started = performance.now()
await Promise.all(Array.from({ length: Number(connections) }, client))
const p = (q: number) => quantile(times, q)
process.stdout.write(
  JSON.stringify({ requests: times.length, failures, ms: performance.now() - started, p50: p(0.5), p99: p(0.99) }),
)
