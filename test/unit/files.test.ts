// Files as answers: only regular ones of that very name, and no descriptor stays open.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ApiError } from '../../src/errors.ts'
import { editedJson, editedReply, fileReply, readPlain } from '../../src/http/reply/files.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-files-'))
  writeFileSync(join(folder, 'plain'), 'text\n')
  mkdirSync(join(folder, 'folder'))
  symlinkSync('plain', join(folder, 'link'))
  symlinkSync('nothing', join(folder, 'dangling'))
  spawnSync('mkfifo', [join(folder, 'pipe')])
})
afterEach(() => rmSync(folder, { recursive: true }))

const open = () => readdirSync('/proc/self/fd').length
/** What an open descriptor is counted by: the same look finds the same number. */
const kept = (act: () => unknown): number => {
  const before = open()
  act()
  return open() - before
}

it.each(['folder', 'pipe', 'link', 'dangling', 'none', 'plain/below'])(
  '%s is not there, and nothing stays open',
  (name) => {
    const refused = () => {
      expect(() => fileReply(folder, name, {})).toThrow(ApiError)
      expect(() => editedReply(folder, name, {})).toThrow(ApiError)
      expect(() => editedJson(folder, name, {})).toThrow(ApiError)
      expect(readPlain(folder, name)).toBeUndefined()
    }
    expect(kept(refused)).toBe(0)
  },
)

it('a regular file is open until its answer has gone, and is not where it is read at once', () => {
  const reply = fileReply(folder, 'plain', { 'X-A': 'b' })
  expect([reply.status, reply.headers, reply.file?.size]).toEqual([200, { 'X-A': 'b' }, 5])
  expect(kept(() => reply.file?.close())).toBe(-1)
  expect(kept(() => reply.file?.close())).toBe(0)
  expect(kept(() => expect(readPlain(folder, 'plain')?.toString()).toBe('text\n'))).toBe(0)
  expect(kept(() => expect(editedReply(folder, 'plain', {}).body).toBe('text\n'))).toBe(0)
})

it.each([
  ['{"a":', 'not JSON (it ends too early)'],
  ['', 'not JSON (it is empty)'],
  [Buffer.from('{"a":"\xff"}', 'latin1'), 'bytes that are not UTF-8'],
  [`{"a":"${'x'.repeat(300_000)}`, 'not JSON'],
])('what is no JSON is not sent as such: %j', (content, found) => {
  writeFileSync(join(folder, 'x.json'), content)
  let thrown: unknown
  expect(
    kept(() => {
      try {
        editedJson(folder, 'x.json', {})
      } catch (error) {
        thrown = error
      }
    }),
  ).toBe(0)
  const words = `x.json on this system is not JSON in UTF-8. Found: ${found}`
  expect(thrown).toMatchObject({ kind: 'not-found', message: '', words })
})

it('a large text goes out piece by piece, and large JSON not at all', () => {
  for (const name of ['large.txt', 'large.json']) writeFileSync(join(folder, name), `{"a":"${'x'.repeat(4 << 20)}"}`)
  expect(editedReply(folder, 'large.txt', {}).file?.size).toBe((4 << 20) + 8)
  expect(() => editedJson(folder, 'large.json', {})).toThrow(ApiError)
})
