// Further ports beside the first. Each is a listening socket that hands its connections to the one server, so that TLS,
// certificates, limits and shutdown are the same for all.
import { createServer, isIP, type Server, type Socket } from 'node:net'

/** A port as configured. */
export interface PortAsked {
  host?: string | undefined
  port: number
  /** The names of the surfaces that it serves; if left out, all of them. */
  surfaces?: readonly string[] | undefined
  /** Its index in the configuration, from 0. */
  index: number
}

export interface PortWanted extends PortAsked {
  host: string
}

/** The configured ports, each with those of its surfaces that are on. A port that would serve nothing is not opened. */
export function portsOf(
  asked: readonly Omit<PortAsked, 'index'>[],
  on: readonly string[],
  warn: (text: string) => void,
): PortAsked[] {
  return asked.flatMap((one, index) => {
    const surfaces = one.surfaces?.filter((name) => on.includes(name))
    if (surfaces?.length !== 0) return [{ ...one, surfaces, index }]
    warn(`listen.ports.${index}: port ${one.port} is not opened, since every surface that it names is switched off`)
    return []
  })
}

/** A port could not be opened; the system's error is the cause. */
export class PortNotOpened extends Error {
  readonly wanted: PortWanted

  constructor(wanted: PortWanted, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.wanted = wanted
  }
}

export interface Taking {
  allowHalfOpen: boolean
  /** Milliseconds. */
  idle: number
  take: (raw: Socket, surfaces: readonly string[] | undefined) => void
  warn: (text: string, error: unknown) => void
}

export class MorePorts {
  private readonly servers: Server[] = []
  private readonly taking: Taking

  constructor(taking: Taking) {
    this.taking = taking
  }

  /** Opens all of them or none: throws PortNotOpened. Resolves to their addresses, `127.0.0.1:215`. */
  async open(ports: readonly PortWanted[]): Promise<string[]> {
    const opened: string[] = []
    for (const wanted of ports) {
      try {
        opened.push(await this.openOne(wanted))
      } catch (error) {
        // Not awaited: connections to ports that are already open may stay.
        void this.close()
        throw new PortNotOpened(wanted, error)
      }
    }
    return opened
  }

  private async openOne({ host, port, surfaces }: PortWanted): Promise<string> {
    const { allowHalfOpen, idle, take, warn } = this.taking
    const settings = { allowHalfOpen, noDelay: true, keepAlive: true, keepAliveInitialDelay: idle }
    const server = createServer(settings, (raw) => take(raw, surfaces))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, () => resolve())
    })
    server.on('error', (error) => warn('a connection could not be accepted', error))
    this.servers.push(server)
    const address = server.address()
    return `${isIP(host) === 6 ? `[${host}]` : host}:${typeof address === 'object' && address ? address.port : port}`
  }

  /** Resolves once every connection of these ports is closed. */
  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))))
  }
}
