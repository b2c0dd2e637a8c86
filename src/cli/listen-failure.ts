// Why the port could not be opened: a message that names the key, and the exit status for the service manager, which
// does not retry what only another configuration can fix.
import { isIP } from 'node:net'
import { errno } from '../errors.ts'
import { PortNotOpened } from '../http/server/more-ports.ts'

export interface Wanted {
  host: string
  port: number
  /** What the key is called on the command line or in the file. */
  keys: { host: string; port: string }
}

/**
 * `first`: the port that is opened first; an error of another port names that port. Undefined for errors that are not
 * about a port.
 */
export function listenFailure(failure: unknown, first: Wanted): { text: string; permanent: boolean } | undefined {
  const { host, port, keys } = failure instanceof PortNotOpened ? another(failure, first) : first
  const error = failure instanceof PortNotOpened ? failure.cause : failure
  const shown = isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`
  const hostSays = (text: string, permanent: boolean) => ({ text: `${keys.host}: ${text}`, permanent })
  const portSays = (text: string, permanent: boolean) => ({ text: `${keys.port}: ${text}`, permanent })
  switch (isListening(error) ? errno(error) : undefined) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return hostSays(`${host} is no address, and no name that can be looked up`, true)
    // Its interface may come up later.
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return hostSays(`this machine has no address ${host} now`, false)
    case 'EACCES':
      return portSays(`this user may not listen on ${shown}`, true)
    // The other program may end.
    case 'EADDRINUSE':
      return portSays(`${shown} is taken: another program listens there already`, false)
    default:
      return undefined
  }
}

function another({ wanted: { host, port, index } }: PortNotOpened, { host: first, keys }: Wanted): Wanted {
  const key = `listen.ports.${index}`
  return { host, port, keys: { host: host === first ? keys.host : `${key}.host`, port: `${key}.port` } }
}

const isListening = (error: unknown) =>
  error instanceof Error && ['listen', 'getaddrinfo', 'bind'].includes(String((error as NodeJS.ErrnoException).syscall))
