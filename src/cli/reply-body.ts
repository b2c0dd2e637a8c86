// Where the body of an answer goes: the terminal, a pipe, or a file that appears only when it is complete. A body may
// be gigabytes; only a small one shown on a terminal is held in memory.
import { createWriteStream, lstatSync, openSync, renameSync, rmSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { errno } from '../errors.ts'
import { give, heirOf } from '../store/owner.ts'
import { Failure, type Output } from './command.ts'

const MAX_PRETTY = 1 << 20

export async function saveBody(response: IncomingMessage, file: string): Promise<void> {
  const there = lstatSync(file, { throwIfNoEntry: false })
  // A device or a pipe (/dev/null, /dev/stdout) is written to, never replaced.
  if (there && !there.isFile()) return whole(pipeline(response, createWriteStream(file)))
  const temporary = join(dirname(file), `.${basename(file)}.${process.pid}`)
  try {
    // Backups and debug bundles are private. Opened synchronously: a stream would open the file later, even after it
    // was abandoned.
    const fd = openSync(temporary, 'wx', 0o600)
    if (there) give(fd, heirOf(there, 0o600))
    await whole(pipeline(response, createWriteStream('', { fd, flush: true })))
    renameSync(temporary, file)
  } finally {
    rmSync(temporary, { force: true })
  }
}

export async function printBody(response: IncomingMessage, stdout: Output): Promise<void> {
  if (!stdout.isTTY) return whole(pipeline(response, stdout, { end: false }))
  const type = response.headers['content-type'] ?? ''
  if (!/^(text\/|application\/json)/.test(type) && response.headers['content-length'] !== '0') {
    response.destroy()
    throw new Failure('the body is not text: save it with -o FILE')
  }
  const text = await start(response)
  stdout.write(type.startsWith('application/json') ? pretty(text) : printable(text))
}

async function start(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_PRETTY) throw new Failure('the body is too long for a terminal: save it with -o FILE')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function pretty(text: string): string {
  try {
    return `${JSON.stringify(JSON.parse(text), null, 2)}\n`
  } catch {
    return printable(text)
  }
}

/** A terminal interprets control characters, and a log may contain a stranger's. */
const printable = (text: string) => `${text.replace(/[^\P{Cc}\n\t]/gu, '\ufffd').replace(/\n?$/, '\n')}`

async function whole(transfer: Promise<void>): Promise<void> {
  try {
    await transfer
  } catch (error) {
    if (['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'].includes(errno(error) ?? '')) {
      throw new Failure('the connection was cut before the body was whole')
    }
    throw error
  }
}
