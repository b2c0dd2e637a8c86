// A login's processor time against a bare scrypt of the stored parameters, and how many are hashed at once. Nothing
// outside says what a thread works on; but each scrypt touches its whole memory, so the peak of many logins at once
// counts them.
import { scryptSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Appliance } from './appliance.ts'
import { logIn, serveController } from './controller.ts'
import { few, median, report } from './numbers.ts'
import { coresOf, cpuTime, forgetPeak, memory, stop } from './processes.ts'

const ROUNDS = 11
const AT_ONCE = 16

export async function measureLogin(appliance: Appliance): Promise<void> {
  const server = await serveController(appliance)
  const { users } = JSON.parse(readFileSync(join(appliance.root, 'state/users.json'), 'utf8'))
  const [N = 0, r = 0, p = 0] = users[0].hash.split('$').slice(1, 4).map(Number)
  const bytes = 128 * N * r
  const salt = Buffer.alloc(16, 1)
  const rounds: { bare: number; ours: number }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const own = process.cpuUsage()
    scryptSync(server.password, salt, 32, { N, r, p, maxmem: 2 * bytes })
    const { user, system } = process.cpuUsage(own)
    const before = cpuTime(server.pid)
    await logIn(server.url, server.password)
    rounds.push({ bare: (user + system) / 1000, ours: (cpuTime(server.pid) - before) / 1000 })
  }
  const idle = memory(server.pid, 'VmRSS')
  forgetPeak(server.pid)
  await Promise.all(Array.from({ length: AT_ONCE }, () => logIn(server.url, server.password)))
  const grown = memory(server.pid, 'VmHWM') - idle
  const cores = coresOf(server.pid)
  await stop(server.child)
  const ratio = median(rounds.map(({ bare, ours }) => ours / bare))
  report(
    'a login, CPU ÷ bare scrypt',
    `${few(ratio)}x, ${few(median(rounds.map(({ ours }) => ours)))} ms (${few(median(rounds.map((one) => one.bare)))} ms)`,
    '<= 1.1x',
    ratio <= 1.1,
  )
  const hashed = Math.floor(grown / (bytes / 2 ** 20))
  report(
    `  ${AT_ONCE} at once: hashed at a time, by the peak (its cores)`,
    `${hashed}, ${few(grown)} MB (${cores})`,
    '<= its cores',
    hashed <= cores,
  )
}
