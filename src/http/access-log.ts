// The server's own log: JSON lines by pino, written behind. The trap: queries carry tokens and hashes, so only the path is ever logged, and
// what could still hold a secret is redacted.
import pino from 'pino'
import { BufferedLog } from '../store/buffered-log.ts'
import type { Request } from './surface.ts'

export interface ServerLog {
  logger: pino.Logger
  answered: (request: Request, status: number, error?: unknown) => void
  reopen: () => void
  /** Writes what is buffered, soon. */
  push: () => void
  flush: () => void
}

export function createLog({
  level,
  access,
  file,
  size,
}: {
  level: string
  access: boolean
  file?: string | undefined
  /** Bytes of the file, before it goes on in a new one. */
  size?: number
}): ServerLog {
  const destination = new BufferedLog(file, size)
  const redact = ['token', 'hash', 'newtoken', 'password', '*.token', '*.hash', '*.newtoken', '*.password']
  const logger = pino({ level, base: null, redact }, destination)
  // Its members are all our own words but the path, where redaction does not look; looking costs more than the rest of the line.
  const requests = pino({ level, base: null }, destination)
  // Buffered for speed, but never older than a second.
  const timer = setInterval(() => destination.flush(), 1000)
  timer.unref()
  return {
    logger,
    answered({ id, method, head, path, address, started }, status, error) {
      if (status >= 500) logger.error({ id, err: error }, 'request failed')
      if (!access) return
      requests.info({
        id,
        method: head ? 'HEAD' : method,
        path: path.slice(0, 200),
        status,
        ms: Math.round((performance.now() - started) * 10) / 10,
        address,
      })
    },
    reopen: () => destination.reopen(),
    push: () => destination.flush(),
    flush() {
      clearInterval(timer)
      destination.flushSync()
    },
  }
}
