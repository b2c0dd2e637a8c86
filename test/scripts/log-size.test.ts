// The logs of lines that scripts write: bounded, with one older file beside each.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { inTurn } from './pairwise.ts'
import { REPOSITORY, SHELLS } from './sandbox.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'edge-admin-'))
})
afterEach(() => rmSync(root, { recursive: true }))

describe.each(SHELLS)('a script’s log (%s)', (shell) => {
  const test = inTurn(shell)
  const [program = '', ...words] = shell.split(' ')
  const write = (lines: number, size: string) => {
    const script = `. "\${0%/*}/lib.sh"; i=0; while [ $i -lt ${lines} ]; do log_text a.log "line $i"; i=$((i + 1)); done`
    const folders = { EDGE_ROOT: root, EDGE_SYSCONFDIR: root, EDGE_DATADIR: root, EDGE_STATEDIR: root }
    const env = { PATH: process.env['PATH'] ?? '', ...folders, EDGE_LOG_SIZE: size }
    const { status, stderr } = spawnSync(program, [...words, '-c', script, join(REPOSITORY, 'scripts/x.sh')], { env })
    expect([status, stderr.toString()]).toEqual([0, ''])
    return readdirSync(join(root, 'log')).sort()
  }
  const read = (name: string) => readFileSync(join(root, 'log', name), 'utf8')

  test('goes on in a new file when it is full, and keeps the one before', () => {
    expect(write(60, '100')).toEqual(['a.log', 'a.log.old'])
    expect(read('a.log').length).toBeLessThanOrEqual(110)
    expect(read('a.log.old').length).toBeLessThanOrEqual(110)
    expect(`${read('a.log.old')}${read('a.log')}`.trimEnd().split('\n').at(-1)).toBe('line 59')
  })
  test('is one file while there is room', () => {
    expect(write(10, '100000')).toEqual(['a.log'])
  })
  test('grows on when something is in the way of the older one', () => {
    mkdirSync(join(root, 'log/a.log.old'), { recursive: true })
    write(20, '50')
    expect(read('a.log').split('\n')).toHaveLength(21)
  })
})
