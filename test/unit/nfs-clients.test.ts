// The clients of the NFS server, from the kernel's files and mountd's memory.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readNfsClients } from '../../src/drivers/nfs-clients.ts'
import { temporaryFolder } from '../api/appliance.ts'

const info = (address: string, status: string) => `clientid: 0x6d2e4c5b674f2a1c
address: "${address}"
status: ${status}
seconds from last renew: 12
name: "Linux NFSv4.2 web\\x221"
minor version: 2
Implementation domain: "kernel.org"
callback state: UP
`

describe('the clients of the NFS server', () => {
  it('are those that the kernel serves, and those that mountd remembers', () => {
    const folder = temporaryFolder()
    const places = { clients: join(folder, 'clients'), rmtab: join(folder, 'rmtab') }
    const clients = [
      ['3', info('192.168.1.5:871', 'confirmed')],
      ['4', info('[2001:db8::5]:871', 'courtesy')],
      ['5', info('192.168.1.6:700', 'unconfirmed')],
    ] as const
    for (const [name, text] of clients) {
      mkdirSync(join(places.clients, name), { recursive: true })
      writeFileSync(join(places.clients, name, 'info'), text)
    }
    // A client that ends while it is listed.
    mkdirSync(join(places.clients, '6'))
    writeFileSync(
      places.rmtab,
      '10.0.0.9:/tank/data:0x00000002\n2001:db8::9:/tank/a:b:0x00000001\n10.0.0.8:/tank/data:0x00000000\nrubbish\n',
    )
    const four = { state: 'connected', version: '4.2', name: 'Linux NFSv4.2 web\\x221', idle_seconds: 12 }
    expect(readNfsClients(places)).toEqual([
      { ...four, address: '192.168.1.5' },
      { ...four, address: '2001:db8::5' },
      { address: '10.0.0.9', state: 'remembered', version: '3', path: '/tank/data' },
      { address: '2001:db8::9', state: 'remembered', version: '3', path: '/tank/a:b' },
    ])
  })

  it('are none without the NFS server', () => {
    const folder = temporaryFolder()
    expect(readNfsClients({ clients: join(folder, 'clients'), rmtab: join(folder, 'rmtab') })).toEqual([])
  })
})
