// The network between the browser and the appliance: a port of our own that passes everything on, and can be cut. It
// outlives the server behind it, which comes back on another port after a restart.
import { connect, createServer, type Socket } from 'node:net'

export interface Cable {
  /** The browser's address of the appliance. */
  url: string
  /** Where connections go from now on. */
  lead: (url: string) => void
  /** Ends every connection and refuses new ones, until it is mended. */
  cut: () => void
  mend: () => void
  close: () => Promise<void>
}

export async function layCable(to: string): Promise<Cable> {
  let target = new URL(to)
  let whole = true
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    if (!whole) {
      near.destroy()
      return
    }
    const far = connect({ host: target.hostname, port: Number(target.port) })
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const cut = () => {
    whole = false
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `https://127.0.0.1:${port}`,
    lead(url) {
      target = new URL(url)
    },
    cut,
    mend() {
      whole = true
    },
    close: () =>
      new Promise((resolve) => {
        cut()
        server.close(() => resolve())
      }),
  }
}
