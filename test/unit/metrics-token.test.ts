// The token for metrics at rest and in use.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { MetricsToken, makeMetricsToken, removeMetricsToken } from '../../src/auth/metrics-token.ts'
import { tokenKey } from '../../src/auth/token.ts'
import type { Folders } from '../../src/folders.ts'

let folders: Folders
beforeEach(() => {
  const root = mkdtempSync(join(tmpdir(), 'edge-admin-'))
  folders = { root, sysconf: root, data: root, state: root }
  mkdirSync(join(root, 'etc'))
})
afterEach(() => rmSync(folders.root, { recursive: true }))
const file = () => join(folders.root, 'etc/metrics.token')

it('proves a viewer by its digest, and lies there for its owner only', () => {
  const token = makeMetricsToken(folders)
  expect(token).toMatch(/^[\w-]{43}$/)
  expect(readFileSync(file(), 'utf8')).toBe(`sha256 ${tokenKey(token)}\n`)
  expect(statSync(file()).mode & 0o777).toBe(0o600)
  const metrics = new MetricsToken(folders)
  for (const scheme of ['Bearer ', 'bearer  '])
    expect(metrics.authenticate(scheme + token)).toEqual({ account: 'metrics-token', role: 'viewer', via: 'metrics' })
  for (const header of ['', token, `Basic ${token}`, `Bearer ${token}x`, `Bearer ${tokenKey(token)}`, 'Bearer '])
    expect([header, metrics.authenticate(header)]).toEqual([header, undefined])
  expect(metrics.authenticate(`Bearer ${'A'.repeat(43)}`)).toBeUndefined()
})

/** Files are looked at once in a turn of the event loop. */
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

it('ends with the next one, and when it is removed', async () => {
  const metrics = new MetricsToken(folders)
  const first = makeMetricsToken(folders)
  expect(metrics.authenticate(`Bearer ${first}`)).toBeDefined()
  const second = makeMetricsToken(folders)
  expect([first, second].map((token) => metrics.authenticate(`Bearer ${token}`)?.via)).toEqual([undefined, 'metrics'])
  removeMetricsToken(folders)
  await nextTurn()
  expect(metrics.authenticate(`Bearer ${second}`)).toBeUndefined()
  expect(() => removeMetricsToken(folders)).not.toThrow()
})

it('is nobody’s where there is none, or a file that holds something else', async () => {
  const metrics = new MetricsToken(folders)
  const token = 'A'.repeat(43)
  expect(metrics.authenticate(`Bearer ${token}`)).toBeUndefined()
  for (const text of ['', token, `sha256 ${tokenKey(token).slice(1)}`, `md5 ${tokenKey(token)}`]) {
    writeFileSync(file(), text)
    await nextTurn()
    expect([text, metrics.authenticate(`Bearer ${token}`)]).toEqual([text, undefined])
  }
})
