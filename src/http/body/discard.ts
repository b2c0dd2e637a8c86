// Discards request bodies that are not read. An unread body would block its connection for the next request.
import type { IncomingMessage } from 'node:http'

export const hasBody = (incoming: IncomingMessage | undefined) =>
  incoming !== undefined &&
  ('transfer-encoding' in incoming.headers || Number(incoming.headers['content-length'] ?? 0) > 0)

const DISCARD_MOST = 1 << 20
const DISCARD_LONGEST = 30_000

/**
 * Reads and drops an unread body so that the connection can be reused. If the body is long or does not arrive, the
 * connection is closed instead, because the number of connections is limited.
 */
export function discardBody(incoming: IncomingMessage | undefined): void {
  if (!incoming || !hasBody(incoming)) return
  let size = 0
  const { socket } = incoming
  const timer = setTimeout(() => socket.destroy(), DISCARD_LONGEST)
  timer.unref()
  incoming.on('close', () => clearTimeout(timer))
  incoming.on('end', () => clearTimeout(timer))
  // The listener switches the stream to flowing mode.
  incoming.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > DISCARD_MOST) socket.destroy()
  })
}
