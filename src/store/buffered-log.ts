// A log whose lines are collected and written together, so that a request never waits for the disk. A full disk or a
// reader that has gone away costs lines and nothing else; pino's own destination would end the process, or block its
// exit forever.
import { closeSync, fstatSync, renameSync, type Stats, statSync, write, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { oldLog, openLog } from './append-log.ts'
import { ensureFolder } from './ensure-folder.ts'

/** Characters from which the buffer is written immediately: a write costs as much as a dozen lines. */
const BATCH = 32 << 10
/** Characters that are kept while nothing can be written; further lines are dropped. */
const MOST = 4 << 20

export class BufferedLog {
  private readonly file: string | undefined
  /** The maximum size of the file before it is kept as `.old` and a new one begins. */
  private readonly most: number
  private fd: number
  private lines: string[] = []
  /** What the system did not take of a batch: it may begin within a character. */
  private rest: Buffer | undefined
  private size = 0
  private writing = false

  /** Appends to `file`, or to standard output. Throws if the file cannot be opened. */
  constructor(file?: string, most = Number.POSITIVE_INFINITY) {
    this.file = file
    this.most = most
    this.fd = file === undefined ? 1 : open(file)
  }

  write(line: string): void {
    if (this.size + line.length > MOST) return
    this.lines.push(line)
    this.size += line.length
    if (this.size >= BATCH) this.flush()
  }

  /** Writes the buffer soon. */
  flush(): void {
    if (this.writing || this.size === 0) return
    this.follow()
    this.writing = true
    this.send(this.take())
  }

  private take(): Buffer {
    const { rest } = this
    const bytes = Buffer.from(this.lines.join(''))
    this.rest = undefined
    this.lines = []
    this.size = 0
    return rest ? Buffer.concat([rest, bytes]) : bytes
  }

  private send(bytes: Buffer): void {
    write(this.fd, bytes, 0, bytes.length, null, (error, written) => {
      const rest = error ? undefined : bytes.subarray(written)
      if (rest && rest.length > 0) return this.send(rest)
      this.writing = false
      this.bound()
      // A slow reader gets the batch with the next one.
      if (error?.code === 'EAGAIN') {
        this.rest = bytes
        this.size += bytes.length
      }
    })
  }

  /** Writes the buffer now, in one attempt. */
  flushSync(): void {
    try {
      writeSync(this.fd, this.take())
    } catch {
      // Nobody reads, or there is no space: the process has to end all the same.
    }
  }

  /**
   * The file may have been moved away or removed (logrotate, an operator). No signal is needed: the next lines go to
   * the file with the name.
   */
  private follow(): void {
    if (this.file === undefined) return
    try {
      const ours = fstatSync(this.fd)
      if (!ours.isFile()) return
      const named = statSync(this.file, { throwIfNoEntry: false })
      // A file that somebody else created under the name keeps its owner and mode.
      if (named?.ino !== ours.ino) this.renew(this.file, named ? undefined : ours)
    } catch {
      // Checked again with the next lines.
    }
  }

  /** Nobody else may rotate it, so we do. A file that was already moved away is only left. */
  private bound(): void {
    if (this.file === undefined) return
    try {
      const ours = fstatSync(this.fd)
      if (!ours.isFile() || ours.size < this.most) return
      if (statSync(this.file, { throwIfNoEntry: false })?.ino === ours.ino) renameSync(this.file, oldLog(this.file))
      this.reopen(ours)
    } catch {
      // Retried with the next lines.
    }
  }

  /** Continues in a new file of the same name, after the old one was rotated away. */
  reopen(full?: Stats): void {
    if (this.file === undefined) return
    this.flushSync()
    try {
      this.renew(this.file, full)
    } catch {
      // The folder is missing: continue in the old file.
    }
  }

  private renew(file: string, last: Stats | undefined): void {
    const next = open(file, last)
    const { fd } = this
    this.fd = next
    // A batch may still be on its way into the old file.
    setTimeout(() => closeSync(fd), 5000).unref()
  }
}

function open(file: string, full?: Stats): number {
  ensureFolder(dirname(file), 0o777)
  return openLog(file, 0o640, full)
}
