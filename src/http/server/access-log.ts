// The server log: JSON lines by pino, buffered. Queries carry tokens and hashes, so only the path is logged, and fields
// that could still hold a secret are redacted.
import pino from 'pino'
import { ApiError } from '../../errors.ts'
import { BufferedLog } from '../../store/buffered-log.ts'
import type { Request } from '../request.ts'
import { isRefusal } from '../status.ts'

export interface ServerLog {
  logger: pino.Logger
  answered: (request: Request, status: number, error?: unknown) => void
  reopen: () => void
  /** Flushes the buffer soon. */
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
  /** Bytes of the file before it is rotated. */
  size?: number
}): ServerLog {
  const destination = new BufferedLog(file, size)
  const redact = ['token', 'hash', 'newtoken', 'password', '*.token', '*.hash', '*.newtoken', '*.password']
  const logger = pino({ level, base: null, redact }, destination)
  // All its members but the path are our own words, and redaction does not apply to the path; it would cost more than
  // the rest of the line.
  const requests = pino({ level, base: null }, destination)
  const refused = new Refused((untold) =>
    requests.info({ untold }, 'so many more requests were refused within a minute, and are not told one by one'),
  )
  // Buffered for speed, but never longer than a second.
  const timer = setInterval(() => {
    refused.look()
    destination.flush()
  }, 1000)
  timer.unref()
  return {
    logger,
    answered({ id, method, head, path, address, started }, status, error) {
      const fault = isFault(status, error)
      if (fault) logger.error({ id, err: error }, 'request failed')
      if (!access || (status >= 400 && !fault && !refused.tell())) return
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
      refused.look(true)
      destination.flushSync()
    },
  }
}

/**
 * Whether a status is a fault of the server. Unsupported requests (501, 505) and requests to come back later are not:
 * strangers can cause these at will.
 */
function isFault(status: number, error: unknown): boolean {
  if (status < 500 || status === 501 || status === 505 || isRefusal(error)) return false
  return !(error instanceof ApiError && error.retryAfter !== undefined)
}

/** Lines about refused requests in a minute: the callers decide how often they are refused. */
const MOST_REFUSED = 600
const MINUTE = 60_000

class Refused {
  private began = performance.now()
  private lines = 0
  private untold = 0
  private readonly say: (untold: number) => void

  constructor(say: (untold: number) => void) {
    this.say = say
  }

  /** Whether one more gets a line. */
  tell(): boolean {
    this.look()
    this.lines += 1
    if (this.lines <= MOST_REFUSED) return true
    this.untold += 1
    return false
  }

  /** Logs how many got none, once their minute is over. */
  look(now = false): void {
    if (!now && performance.now() - this.began < MINUTE) return
    const { untold } = this
    this.began = performance.now()
    this.lines = 0
    this.untold = 0
    if (untold > 0) this.say(untold)
  }
}
