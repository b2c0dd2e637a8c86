// Several ports of one server: one number of places, one end, and the words for a port that cannot be opened.
import { connect, createServer, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { listenFailure } from '../../src/cli/listen-failure.ts'
import { MorePorts, PortNotOpened } from '../../src/http/server/more-ports.ts'
import { answerTo, dial, GET, hear, openPort, type Port, SHORT } from './port.ts'

const opened: Port[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((port) => port.close()))
})
const open = async (options: Parameters<typeof openPort>[0]) => {
  const port = await openPort(options)
  opened.push(port)
  return port
}
const portOf = (url = '') => Number(new URL(url).port)
const other = (port: Port): Port => ({ ...port, number: portOf(port.more[0]) })

it.each([false, true])('answer the same, with their own addresses (TLS: %s)', async (tls) => {
  const port = await open({
    tls,
    more: [
      { port: 0, index: 0 },
      { port: 0, host: '127.0.0.2', index: 1 },
    ],
  })
  expect(port.more).toEqual([
    expect.stringMatching(tls ? /^https:\/\/127\.0\.0\.1:\d+$/ : /^http:\/\/127\.0\.0\.1:\d+$/),
    expect.stringContaining('://127.0.0.2:'),
  ])
  for (const one of [port, other(port)])
    expect(await answerTo(one, GET('/a', 'Connection: close\r\n'))).toMatch(/^HTTP\/1\.1 200 .+ok \/a$/s)
})

it('share the places that there are', async () => {
  const port = await open({ more: [{ port: 0, index: 0 }], places: { perAddress: 2 }, timing: SHORT })
  const busy = await dial(other(port))
  busy.write(GET('/slow'))
  const second = await dial(port)
  second.write(GET('/slow'))
  await expect.poll(() => port.served.length).toBe(2)
  expect(port.connections()).toBe(2)
  expect(await hear(await dial(other(port)))).toBe('')
  busy.destroy()
  second.destroy()
})

it('tell two connections apart that come from the same port of the same peer', async () => {
  const port = await open({ more: [{ port: 0, index: 0 }] })
  const from = (number: number, localPort?: number) =>
    new Promise<Socket>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: number, localAddress: '127.0.0.1', localPort })
      socket.once('connect', () => resolve(socket))
      socket.once('error', reject)
    })
  const first = await from(port.number)
  const second = await from(other(port).number, first.localPort)
  await expect.poll(() => port.connections()).toBe(2)
  for (const socket of [first, second]) {
    socket.write(GET('/x', 'Connection: close\r\n'))
    expect(await hear(socket)).toContain('ok /x')
  }
})

it('are all closed where one of them cannot be opened', async () => {
  const holder = createServer()
  const taken = await new Promise<number>((resolve) => {
    holder.listen(0, '127.0.0.1', () => resolve((holder.address() as { port: number }).port))
  })
  const failure = await openPort({
    more: [
      { port: 0, index: 0 },
      { port: taken, index: 4 },
    ],
  }).catch((error) => error)
  holder.close()
  expect(failure).toBeInstanceOf(PortNotOpened)
  const first = { host: '127.0.0.1', port: 8443, keys: { host: 'listen.host', port: '--port' } }
  expect(listenFailure(failure, first)).toEqual({
    text: `listen.ports.4.port: 127.0.0.1:${taken} is taken: another program listens there already`,
    permanent: false,
  })
})

it('fail without waiting for who is connected to one that is open already', async () => {
  const taken: Socket[] = []
  const ports = new MorePorts({ allowHalfOpen: true, idle: 1000, take: (raw) => taken.push(raw), warn: () => {} })
  const [first = ''] = await ports.open([{ host: '127.0.0.1', port: 0, index: 0 }])
  const number = Number(first.split(':')[1])
  const client = connect({ host: '127.0.0.1', port: number })
  await expect.poll(() => taken.length).toBe(1)
  await expect(ports.open([{ host: '127.0.0.1', port: number, index: 1 }])).rejects.toBeInstanceOf(PortNotOpened)
  client.destroy()
  taken[0]?.destroy()
})

it.each([
  ['EACCES', 'listen', '0.0.0.0', true, 'listen.ports.1.port: this user may not listen on 0.0.0.0:215'],
  ['EADDRNOTAVAIL', 'listen', '192.0.2.1', false, 'listen.ports.1.host: this machine has no address 192.0.2.1 now'],
  ['EADDRNOTAVAIL', 'listen', '127.0.0.1', false, '--host: this machine has no address 127.0.0.1 now'],
])('that cannot be opened are named: %s at %s %s', (code, syscall, host, permanent, text) => {
  const cause = Object.assign(new Error('x'), { code, syscall })
  const first = { host: '127.0.0.1', port: 8443, keys: { host: '--host', port: '--port' } }
  expect(listenFailure(new PortNotOpened({ host, port: 215, index: 1 }, cause), first)).toEqual({ text, permanent })
})
