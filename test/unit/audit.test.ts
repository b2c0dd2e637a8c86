// The audit log's lines. Whoever reads them splits at commas and quotes, so no target may bring its own.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AuditLog, auditLine } from '../../src/http/pipeline/audit.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const LINE = /^\d+\.\d{9},[0-9a-f]{16},web,admin,[a-zA-Z.]+,"[^"\\]*",\S+$/

describe('an audit line', () => {
  it('has the original’s form, with the address at its end', () => {
    const entry = { event: 'update.post', target: '', address: '192.0.2.1' }
    expect(auditLine(entry, 1_700_000_000_000_000_042n, '0123456789abcdef')).toBe(
      '1700000000.000000042,0123456789abcdef,web,admin,update.post,"",192.0.2.1',
    )
  })
  it('is one line whatever its target is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (target) => {
        const line = auditLine({ event: 'settings.post', target, address: '::1' }, 5n, 'f'.repeat(16))
        expect(line).toMatch(LINE)
        expect(line).not.toMatch(/[\r\n]/)
      }),
    )
  })
})

describe('the audit log', () => {
  it('gets a line for each entry, each with an id of its own, in the order of time', () => {
    const log = new AuditLog(join(folder, 'audit.log'), () => {})
    for (const event of ['a.post', 'b.post', 'c.post']) log.write({ event, target: 'x', address: '127.0.0.1' })
    log.close()
    const lines = readFileSync(join(folder, 'audit.log'), 'utf8').trimEnd().split('\n')
    expect(lines.map((line) => line.split(',')[4])).toEqual(['a.post', 'b.post', 'c.post'])
    expect(new Set(lines.map((line) => line.split(',')[1])).size).toBe(3)
    for (const line of lines) {
      expect(line).toMatch(LINE)
      expect(Math.abs(Number(line.split('.')[0]) - Date.now() / 1000)).toBeLessThan(60)
    }
    expect(statSync(join(folder, 'audit.log')).mode & 0o007).toBe(0)
  })
  it('that cannot be written says so, and the request goes on', () => {
    const errors: unknown[] = []
    mkdirSync(join(folder, 'audit.log'))
    const log = new AuditLog(join(folder, 'audit.log'), (error) => errors.push(error))
    log.write({ event: 'a.post', target: '', address: 'local' })
    expect(errors).toHaveLength(1)
  })
})
