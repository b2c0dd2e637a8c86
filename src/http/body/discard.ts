// Bodies that nobody reads. The trap: left alone, one keeps its connection from the next request, or keeps it for itself for ever.
import type { IncomingMessage } from 'node:http'

export const hasBody = (incoming: IncomingMessage | undefined) =>
  incoming !== undefined &&
  ('transfer-encoding' in incoming.headers || Number(incoming.headers['content-length'] ?? 0) > 0)

const DISCARD_MOST = 1 << 20
const DISCARD_LONGEST = 30_000

/**
 * A body that nobody reads would keep the connection from its next request. One that is long, or does not come, would keep the
 * connection for itself, and there are only so many: that ends it.
 */
export function discardBody(incoming: IncomingMessage | undefined): void {
  if (!incoming || !hasBody(incoming)) return
  let size = 0
  const { socket } = incoming
  const timer = setTimeout(() => socket.destroy(), DISCARD_LONGEST)
  timer.unref()
  incoming.on('close', () => clearTimeout(timer))
  incoming.on('end', () => clearTimeout(timer))
  // Its listener makes it flow.
  incoming.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > DISCARD_MOST) socket.destroy()
  })
}
