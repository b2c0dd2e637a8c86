// A multipart/form-data body whose length is known before it is sent, and whose files stay on disk until their turn. A
// file that shrinks meanwhile would leave the server waiting for the promised bytes, so the body then fails.
import { randomBytes } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { basename } from 'node:path'
import { Failure, UsageError } from './command.ts'

export interface Form {
  contentType: string
  length: number
  body: () => AsyncGenerator<Buffer>
}

interface Part {
  head: Buffer
  file?: string
  value?: Buffer
  size: number
}

/** From the arguments of `-F`: `name=value` or `name=@file`. */
export function createForm(fields: string[]): Form {
  const boundary = `edge-admin-${randomBytes(18).toString('hex')}`
  const parts = fields.map((field) => part(field, boundary))
  const end = Buffer.from(`--${boundary}--\r\n`)
  const length = parts.reduce((sum, { head, size }) => sum + head.length + size + 2, end.length)
  async function* body() {
    for (const { head, file, value, size } of parts) {
      yield head
      if (value) yield value
      if (file !== undefined) yield* bytesOf(file, size)
      yield Buffer.from('\r\n')
    }
    yield end
  }
  return { contentType: `multipart/form-data; boundary=${boundary}`, length, body }
}

function part(field: string, boundary: string): Part {
  const equals = field.indexOf('=')
  // The field may be a secret: the message does not repeat it.
  if (equals < 1) throw new UsageError('-F expects name=value or name=@file')
  const value = field.slice(equals + 1)
  const opening = `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(field.slice(0, equals))}"`
  if (!value.startsWith('@')) {
    const bytes = Buffer.from(value)
    return { head: Buffer.from(`${opening}\r\n\r\n`), value: bytes, size: bytes.length }
  }
  const file = value.slice(1)
  const info = statSync(file)
  if (!info.isFile()) throw new Failure(`${file}: not a plain file`)
  const head = `${opening}; filename="${quoted(basename(file))}"\r\nContent-Type: application/octet-stream\r\n\r\n`
  return { head: Buffer.from(head), file, size: info.size }
}

/** As browsers do it: characters that would end the quotes or the line are percent-encoded. */
const quoted = (text: string) => text.replace(/["\r\n]/g, (character) => encodeURIComponent(character))

async function* bytesOf(file: string, size: number): AsyncGenerator<Buffer> {
  let left = size
  if (size > 0) {
    for await (const chunk of createReadStream(file, { end: size - 1 })) {
      left -= chunk.length
      yield chunk
    }
  }
  if (left !== 0) throw new Failure(`${file}: changed while it was sent`)
}
