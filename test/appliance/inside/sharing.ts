// What the tests of shares in the guest have in common: calls that must succeed, a client of Samba, and the end, at
// which no share, export or account is left.
import { execFile } from 'node:child_process'
import { expect } from 'vitest'
import type { World } from '../../api/storage-world.ts'

export const PASSWORD = 'a-good-пароль-1'

/** The answer to a call that must succeed. */
export async function done(world: World, method: string, path: string, json?: object) {
  const answer = await world.ask(method, path, json ? { json } : {})
  expect([method, path, answer.status, answer.json]).toEqual([
    method,
    path,
    expect.toBeOneOf([200, 201]),
    expect.anything(),
  ])
  return answer.json
}

/** Commands of smbclient, run in /tmp, and what it printed. The server is in this process: it goes on meanwhile. */
export function smb(share: string, user: string, commands: string, password = PASSWORD) {
  const args = ['-t', '30', `//127.0.0.1/${share}`, '-U', user, '--password', password, '-c', commands]
  const options = { cwd: '/tmp', timeout: 120_000, env: { ...process.env, LC_ALL: 'C.UTF-8' } }
  return new Promise<{ status: number | null; text: string }>((resolve) => {
    const child = execFile('smbclient', args, options, (_error, stdout, stderr) =>
      resolve({ status: child.exitCode, text: `${stdout}${stderr}` }),
    )
  })
}

/** Removes every share, export and account, and ends the world. */
export async function leave(world: World | undefined): Promise<void> {
  if (!world) return
  for (const path of ['/shares/smb', '/exports/nfs', '/share-users', '/share-groups'])
    for (const { id, builtin } of (await world.ask('GET', path)).json)
      if (!builtin) await world.ask('DELETE', `${path}/${id}`)
  await world.close()
}
