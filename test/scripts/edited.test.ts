// Lists that people edit are read as they meant them, under both shells.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'edge-edited-'))
afterAll(() => rmSync(folder, { recursive: true }))

function edited(shell: string[], bytes: Buffer) {
  writeFileSync(join(folder, 'list.txt'), bytes)
  const [program = 'sh', ...args] = shell
  const script = `. ${resolve('scripts/lib.sh')}; edited ${join(folder, 'list.txt')}`
  const env = {
    PATH: process.env['PATH'],
    EDGE_ROOT: folder,
    EDGE_SYSCONFDIR: folder,
    EDGE_DATADIR: folder,
    EDGE_STATEDIR: folder,
  }
  return spawnSync(program, [...args, '-c', script], { encoding: 'utf8', env })
}

test.each([['dash'], ['busybox', 'ash']])(
  '%s %s reads a list without its mark and its carriage returns',
  (...shell) => {
    const plain = '/var/log/a\n/var/log/ä\n'
    for (const text of [plain, `\ufeff${plain}`, `\ufeff${plain.replaceAll('\n', '\r\n')}`, plain.trimEnd()])
      expect(edited(shell.filter(Boolean), Buffer.from(text)).stdout).toBe(plain)
    const wide = edited(shell.filter(Boolean), Buffer.from(`\ufeff${plain}`, 'utf16le'))
    expect([wide.status, wide.stdout, wide.stderr]).toEqual([2, '', 'saved as UTF-16, expected UTF-8: list.txt\n'])
    const unmarked = edited(shell.filter(Boolean), Buffer.from(plain, 'utf16le'))
    expect([unmarked.status, unmarked.stderr]).toEqual([2, 'holds NUL bytes, expected UTF-8: list.txt\n'])
  },
)
