// Who has mounted an NFS export. The kernel knows the clients of NFSv4 that are there. NFSv3 has no such state: rmtab is
// mountd's memory of mounts, and a client that was switched off stays in it.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface NfsClient {
  address: string
  /** `connected`: the kernel serves it; `remembered`: it mounted once, and may be gone. */
  state: 'connected' | 'remembered'
  version: string
  /** As the client calls itself: NFSv4 only. */
  name?: string
  /** The export: NFSv3 only. */
  path?: string
  /** Since the client last renewed its lease: NFSv4 only. */
  idle_seconds?: number
}

export interface NfsClientPlaces {
  clients: string
  rmtab: string
}

const PLACES: NfsClientPlaces = { clients: '/proc/fs/nfsd/clients', rmtab: '/var/lib/nfs/rmtab' }

export function readNfsClients({ clients, rmtab }: NfsClientPlaces = PLACES): NfsClient[] {
  const present = entries(clients).flatMap((name) => clientOf(read(join(clients, name, 'info'))) ?? [])
  const remembered = read(rmtab)
    .split('\n')
    .flatMap((line) => mountOf(line) ?? [])
  return [...present, ...remembered]
}

/** `key: value` lines; texts are in quotes, with C's escapes inside. */
function clientOf(info: string): NfsClient | undefined {
  const get = (key: string) => new RegExp(`^${key}: *(.*)$`, 'm').exec(info)?.[1]
  const address = get('address')?.replaceAll('"', '')
  // A client that has not proved itself yet holds nothing.
  if (address === undefined || get('status') === 'unconfirmed') return undefined
  const name = get('name')?.replace(/^"(.*)"$/, '$1')
  const seconds = Number(get('seconds from last renew') ?? Number.NaN)
  return {
    address: hostOf(address),
    state: 'connected',
    version: `4.${get('minor version') ?? '0'}`,
    ...(name !== undefined && name !== '' && { name }),
    ...(Number.isSafeInteger(seconds) && seconds >= 0 && { idle_seconds: seconds }),
  }
}

/** `192.168.1.5:871`, `[2001:db8::5]:871` */
const hostOf = (address: string) => address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')

/** `CLIENT:/PATH:0x00000001`, where the last part is the number of its mounts. */
function mountOf(line: string): NfsClient | undefined {
  const [, address, path, count] = /^(.+?):(\/.*):0x([0-9a-f]+)$/i.exec(line) ?? []
  if (address === undefined || path === undefined || Number.parseInt(count ?? '0', 16) === 0) return undefined
  return { address, state: 'remembered', version: '3', path }
}

/** Without the NFS server, or a kernel that lists its clients, there is nothing to read. */
function entries(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
