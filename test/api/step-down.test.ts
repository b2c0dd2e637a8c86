// `edge-admin token`, called by root for a server of another user: whose things become, and what is said of a wrong input.
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, closeSync, lstatSync, mkdirSync, openSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { installation, isRoot, temporaryFolder } from './appliance.ts'

const USER = 4711
let root: string
const at = (name: string) => join(root, name)
const ownerOf = (name: string) => lstatSync(at(name)).uid
const command = (stdin: number | 'pipe', ...args: string[]) =>
  spawnSync(process.execPath, [join(installation(), 'edge-admin.js'), ...args, '--root', root], {
    stdio: [stdin, 'pipe', 'pipe'],
    encoding: 'utf8',
    ...(stdin === 'pipe' && { input: 'a-new-one\n' }),
  })
beforeEach(() => {
  root = temporaryFolder()
  chmodSync(root, 0o755)
  for (const name of ['etc/entries', 'tmp/incoming']) mkdirSync(at(name), { recursive: true })
})

it('gives files and the entries to the server, and no folder that lies in the place of a file', ({ skip }) => {
  if (!isRoot) skip('only root hands over')
  for (const name of ['etc', 'tmp/incoming']) chownSync(at(name), USER, USER)
  writeFileSync(at('etc/metrics.token'), 'x\n', { mode: 0o600 })
  writeFileSync(at('etc/entries/old.json'), '{}', { mode: 0o600 })
  for (const name of ['etc/api.token', 'etc/entries/folder']) mkdirSync(at(name))
  const { status, stderr } = command('pipe', 'token', 'set')
  expect([status, stderr]).toEqual([1, `edge-admin token: not a regular file: ${at('etc/api.token')}\n`])
  expect(
    ['etc/api.token', 'etc/entries/folder', 'etc/metrics.token', 'etc/entries', 'etc/entries/old.json'].map(ownerOf),
  ).toEqual([0, 0, USER, USER, USER])
})

it('says that its input is a folder', () => {
  const folder = openSync(root, 'r')
  try {
    const { status, stderr } = command(folder, 'token', 'set')
    expect([status, stderr]).toEqual([1, 'edge-admin token: standard input is a folder\n'])
    expect(readdirSync(at('etc'))).toEqual(['entries'])
  } finally {
    closeSync(folder)
  }
})
