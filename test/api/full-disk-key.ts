// Run by idempotency.test.ts through small-disk.ts: what a POST with an Idempotency-Key does on a full disk, printed as JSON.
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

process.env['TMPDIR'] = process.argv[2]
const { startAppliance } = await import('./appliance.ts')
const { addCaller, ask, ON, PASSWORD } = await import('./controller.ts')
const appliance = await startAppliance(ON)
const { token } = await addCaller(appliance.folders, 'administrator')
const post = async (username: string) => {
  const json = { username, password: PASSWORD }
  const answer = await ask(appliance.url, 'POST', '/api/v1/users', {
    bearer: token,
    json,
    headers: { 'idempotency-key': username },
  })
  return [answer.status, answer.json.code ?? answer.json.username]
}
const records = () => readdirSync(join(appliance.folders.state, 'idempotency')).length
const users = () => appliance.read(join(appliance.folders.state, 'users.json'))

const first = await post('first')
const before = users()
const filler = join(appliance.folders.root, 'filler')
try {
  writeFileSync(filler, Buffer.alloc(64 << 20))
} catch {
  // That was the point.
}
const full = [await post('second'), records(), users() === before]
// What was kept before is told again: that takes no space.
const again = await post('first')
rmSync(filler)
process.stdout.write(JSON.stringify({ first, full, again, after: await post('second'), records: records() }))
await appliance.close()
