// Detects plain HTTP on a TLS port by its first byte. A client that forgot the `s` gets an explanation, a browser is
// redirected; without this both would see a closed connection.
import type { Socket } from 'node:net'
import { isHost } from './refusal.ts'

/** Bytes of the request head that are examined. */
const MOST = 8192
const WORDS = 'This port speaks HTTPS: use https:// instead of http://\n'

/**
 * Waits for the first byte, puts it back, and reports whether it begins text: HTTP, perhaps after an empty line. A TLS
 * record begins with a different value below 32, an SSLv2 hello with one above 127.
 */
export function beginsPlain(socket: Socket, decide: (plain: boolean) => void): void {
  socket.once('readable', () => {
    const bytes = socket.read() as Buffer | null
    if (bytes === null) {
      // The peer closed before the first byte.
      socket.destroy()
      return
    }
    socket.unshift(bytes)
    const [first = 0] = bytes
    decide((first >= 0x20 && first < 0x7f) || first === 0x0d || first === 0x0a)
  })
}

/** Reads the request head, for a moment, and sends the answer. */
export function answerPlain(socket: Socket, patience: number, answer: (text: string) => void): void {
  let head = ''
  const done = () => {
    clearTimeout(timer)
    socket.off('data', more)
    socket.off('end', done)
    // Further bytes are read and dropped: left unread, they would make the kernel reset the connection and discard our
    // answer.
    socket.resume()
    answer(plainAnswer(head))
  }
  const more = (chunk: Buffer) => {
    head += chunk.toString('latin1')
    if (head.length >= MOST || /\r?\n\r?\n/.test(head)) done()
  }
  const timer = setTimeout(done, patience)
  socket.on('data', more)
  socket.once('end', done)
  socket.once('close', () => clearTimeout(timer))
}

/**
 * A redirect for a browser that requests a page, otherwise an explanation. A form is not redirected: it has already
 * crossed the network in clear once.
 */
export function plainAnswer(head: string): string {
  const [first = '', ...lines] =
    head
      .slice(0, MOST)
      .split(/\r?\n\r?\n/, 1)[0]
      ?.split(/\r?\n/) ?? []
  const [, method, target] = /^(GET|HEAD) (\/[\x21-\x7e]*) HTTP\/1\.[01]$/.exec(first) ?? []
  const values = (name: string) =>
    lines.flatMap((line) => (line.toLowerCase().startsWith(`${name}:`) ? [line.slice(name.length + 1).trim()] : []))
  const [host, second] = values('host')
  const page = /\btext\/html\b/i.test(values('accept').join())
  const redirect = target !== undefined && host !== undefined && second === undefined && page && isHost(host)
  const headers = [
    redirect ? `HTTP/1.1 308 Permanent Redirect\r\nLocation: https://${host}${target}` : 'HTTP/1.1 400 Bad Request',
    'Content-Type: text/plain; charset=utf-8',
    'X-Content-Type-Options: nosniff',
    'Cache-Control: no-store',
    'Connection: close',
    `Content-Length: ${WORDS.length}`,
  ]
  return `${headers.join('\r\n')}\r\n\r\n${method === 'HEAD' ? '' : WORDS}`
}
