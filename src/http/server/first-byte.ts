// Plain HTTP on the port where TLS is spoken: the first byte tells. A person who forgot the `s` gets a line that says so, a browser is sent
// to the right address; without this, both see a connection that ends.
import type { Socket } from 'node:net'
import { isHost } from './refusal.ts'

/** Bytes of a request's first lines that are looked at. */
const MOST = 8192
const WORDS = 'This port speaks HTTPS: use https:// instead of http://\n'

/**
 * Waits for the first byte, puts it back, and says whether it begins a text: HTTP, maybe behind an empty line. A TLS record begins with another
 * number below 32, an old hello with one above 127.
 */
export function beginsPlain(socket: Socket, decide: (plain: boolean) => void): void {
  socket.once('readable', () => {
    const bytes = socket.read() as Buffer | null
    if (bytes === null) {
      // It ended before it began.
      socket.destroy()
      return
    }
    socket.unshift(bytes)
    const [first = 0] = bytes
    decide((first >= 0x20 && first < 0x7f) || first === 0x0d || first === 0x0a)
  })
}

/** Reads the request's first lines, for a moment, and hands over the answer. */
export function answerPlain(socket: Socket, patience: number, answer: (text: string) => void): void {
  let head = ''
  const done = () => {
    clearTimeout(timer)
    socket.off('data', more)
    socket.off('end', done)
    // What still comes is dropped: unread, it would make the kernel throw our answer away.
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

/** A redirect for a browser that asks for a page, else words. A form that was sent is not sent on: it was on the network once too often. */
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
