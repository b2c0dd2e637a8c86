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

/** As pino writes it. */
const INFO = pino.levels.values['info']

/**
 * The line of a request is written as pino would write it, but in one piece: by pino it costs a tenth of a small
 * request. None of its members needs redaction.
 */
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
  const refused = new Refused((unlogged) =>
    logger.info({ untold: unlogged }, 'more requests were refused within a minute than are logged'),
  )
  const isAccessLogged = access && logger.isLevelEnabled('info')
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
      if (!isAccessLogged || (status >= 400 && !fault && !refused.count())) return
      const ms = Math.round((performance.now() - started) * 10) / 10
      destination.write(
        `{"level":${INFO},"time":${Date.now()},"id":"${id}","method":${JSON.stringify(head ? 'HEAD' : method)},"path":${JSON.stringify(path.slice(0, 200))},"status":${status},"ms":${ms},"address":${JSON.stringify(address)}}\n`,
      )
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
  private unlogged = 0
  private readonly report: (unlogged: number) => void

  constructor(report: (unlogged: number) => void) {
    this.report = report
  }

  /** Counts one more; returns whether it gets a line. */
  count(): boolean {
    this.look()
    this.lines += 1
    if (this.lines <= MOST_REFUSED) return true
    this.unlogged += 1
    return false
  }

  /** Logs how many got none, once their minute is over. */
  look(now = false): void {
    if (!now && performance.now() - this.began < MINUTE) return
    const { unlogged } = this
    this.began = performance.now()
    this.lines = 0
    this.unlogged = 0
    if (unlogged > 0) this.report(unlogged)
  }
}
