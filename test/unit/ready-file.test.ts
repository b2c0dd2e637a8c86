// Who waits for the port to open is told by a file that they opened, and nothing else is ever written to.
import { spawnSync } from 'node:child_process'
import { closeSync, constants, fstatSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readyFile } from '../../src/cli/ready-file.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-ready-'))
})
afterEach(() => rmSync(folder, { recursive: true }))
const NOBODY = /not a regular file that the caller had opened/

it('a regular file gets a line once the port is open, and is closed', () => {
  const fd = openSync(join(folder, 'ready'), 'w')
  const sayReady = readyFile(fd)
  expect(readFileSync(join(folder, 'ready'), 'utf8')).toBe('')
  sayReady()
  expect(readFileSync(join(folder, 'ready'), 'utf8')).toBe('ready\n')
  expect(() => fstatSync(fd)).toThrow('EBADF')
  expect(readyFile(undefined)()).toBeUndefined()
})

it('a pipe, which may be one of Node’s own, gets nothing and stays open', () => {
  spawnSync('mkfifo', [join(folder, 'pipe')])
  const fd = openSync(join(folder, 'pipe'), constants.O_RDWR | constants.O_NONBLOCK)
  try {
    expect(readyFile(fd)).toThrow(NOBODY)
    expect(fstatSync(fd).isFIFO()).toBe(true)
    expect(() => readSync(fd, Buffer.alloc(9))).toThrow('EAGAIN')
  } finally {
    closeSync(fd)
  }
})

it('a file of the server’s own, at a number that nobody had opened, gets nothing', () => {
  const free = openSync(join(folder, 'own'), 'w')
  closeSync(free)
  const sayReady = readyFile(free)
  expect(openSync(join(folder, 'own'), 'w')).toBe(free)
  expect(sayReady).toThrow(NOBODY)
  expect(readFileSync(join(folder, 'own'), 'utf8')).toBe('')
  closeSync(free)
})
