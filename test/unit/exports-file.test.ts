// SEC-03 for NFS: what is written into our file of exports is read back as it was, by us and by the real `exportfs`, or it is refused.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Export, parseActive, parseExports, serializeExports } from '../../src/drivers/exports-file.ts'
import { canonicalClient } from '../../src/features/shares/clients.ts'
import { mentions } from '../../src/features/shares/nfs.ts'
import { isRoot } from '../api/appliance.ts'

const EXPORTFS = '/usr/sbin/exportfs'
const base: Export = {
  id: 'nfs-0123456789ab',
  dataset: 'tank/data',
  path: '/tank/data',
  mounted: true,
  clients: ['*'],
  readOnly: false,
  rootSquash: true,
  enabled: true,
}
const written = (...all: Export[]) => {
  try {
    return serializeExports(all)
  } catch {
    return undefined
  }
}
const nasty = fc.string({
  unit: fc.constantFrom(
    'a',
    'B',
    '/',
    ' ',
    '\t',
    '\n',
    '"',
    '\\',
    '(',
    ')',
    '#',
    '*',
    ',',
    '=',
    '\0',
    '0',
    '4',
    'é',
    '€',
    '-',
    '@',
  ),
  maxLength: 12,
})
const path = fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 20 })).map((text) => `/${text}`)
const client = fc.constantFrom(
  ...['*', '10.0.0.0/8', 'fd00::/64', '@trusted', '*.example.com', 'pc[!0-9a-f]?.lan', 'host-1', '10.1.2.3'],
)
const some = fc.record({
  id: fc.constant(base.id),
  dataset: fc.constantFrom('tank', 'tank/a_b:c.d-e'),
  path,
  mounted: fc.boolean(),
  clients: fc.array(client, { minLength: 1, maxLength: 3 }),
  readOnly: fc.boolean(),
  rootSquash: fc.boolean(),
  enabled: fc.boolean(),
})

describe('our file of exports', () => {
  it('is read back as it was written, or is not written (SEC-03)', () => {
    let taken = 0
    fc.assert(
      fc.property(fc.array(some, { maxLength: 3 }), (all) => {
        const text = written(...all)
        if (text === undefined) return
        taken += 1
        expect(parseExports(text)).toEqual({ exports: all, others: [] })
        expect(text.split('\n')).toHaveLength(2 + 2 * all.length)
      }),
      { numRuns: 5000 },
    )
    expect(taken).toBeGreaterThan(500)
  })

  it('refuses what would be a second line, or another client', () => {
    for (const one of ['/a\n/etc *(rw)', '/a\r', '/a\0', 'relative', '/a\u0085'])
      expect(written({ ...base, path: one })).toBeUndefined()
    for (const one of ['a b', 'a(rw)', 'a\nb', '', '-a"']) expect(written({ ...base, clients: [one] })).toBeUndefined()
    expect(written({ ...base, clients: [] })).toBeUndefined()
    for (const one of ['tank\nx', 'tank\\040off', '', '-t', 'tank#'])
      expect(written({ ...base, dataset: one })).toBeUndefined()
    expect(written({ ...base, path: '/a b#"\\(rw)' })).toContain('/a\\040b\\043\\042\\134\\050rw\\051 *(')
  })

  it('keeps apart a dataset with blanks and the word for a disabled one', () => {
    for (const dataset of ['tank/My Photos', 'tank/a off', 'tank/ a', 'tank/a  b'])
      for (const enabled of [true, false]) {
        const text = written({ ...base, dataset, enabled })
        expect(text?.split('\n')[1]).toMatch(/^# edge-admin \S+ \S+( off)?$/)
        expect(parseExports(text ?? '').exports).toEqual([{ ...base, dataset, enabled }])
      }
  })

  it('keeps lines of others, and does not take them for ours', () => {
    const lines = ['/srv 10.0.0.1(ro)', '# edge-admin nfs-0123456789ab tank/data', '# a remark']
    const text = serializeExports([base], lines)
    expect(parseExports(text)).toEqual({ exports: [base], others: lines })
    expect(serializeExports([base], parseExports(text).others)).toBe(text)
    expect(parseExports('')).toEqual({ exports: [], others: [] })
  })

  it('takes no line for ours that says more, less or otherwise than we write', () => {
    const [, head = '', line = ''] = serializeExports([base]).split('\n')
    const isOurs = (...lines: string[]) => parseExports(`${lines.join('\n')}\n`).exports.length === 1
    expect([isOurs(head, line), isOurs(`${head} off`, `#${line}`)]).toEqual([true, true])
    for (const other of [
      `#${line}`,
      line.replace('/tank', 'tank'),
      line.replace('(rw,', '(rw,all_squash,'),
      line.replace(',sync', ''),
      line.replace('*(', '*'),
      `${line} 10.0.0.1(ro)`,
      `${line} 10.0.0.1`,
      '/tank/data',
    ])
      expect([other, isOurs(head, other)]).toEqual([other, false])
    expect(isOurs(`${head} off`, line)).toBe(false)
  })

  it.skipIf(!isRoot || !existsSync(EXPORTFS))(
    'is read by the real `exportfs` as by us (skipped where it is missing)',
    () => {
      const root = mkdtempSync(join(tmpdir(), 'edge-admin-exportfs-'))
      try {
        // A root of its own: exportfs has its files nowhere else than in /etc and /var/lib/nfs.
        const { stdout } = spawnSync('ldd', [EXPORTFS], { encoding: 'utf8' })
        for (const file of [EXPORTFS, ...(stdout.match(/\/\S+(?= \()/g) ?? [])]) {
          mkdirSync(dirname(join(root, file)), { recursive: true })
          copyFileSync(file, join(root, file))
        }
        for (const folder of ['etc/exports.d', 'var/lib/nfs']) mkdirSync(join(root, folder), { recursive: true })
        writeFileSync(join(root, 'etc/exports'), '')
        const exportfs = (option: string) => spawnSync('chroot', [root, EXPORTFS, option], { encoding: 'utf8' })
        const all = fc
          .sample(path, 500)
          .filter((one, i, paths) => written({ ...base, path: one }) !== undefined && paths.indexOf(one) === i)
          .filter((one) => !/\/\/|\/$|\/\.\.?(\/|$)|\ufffd/.test(one))
          .slice(0, 60)
          .map((one) => ({ ...base, path: one, mounted: false, clients: ['10.0.0.0/8', '*.example.com'] }))
        expect(all.length).toBeGreaterThan(20)
        for (const one of all) mkdirSync(join(root, one.path), { recursive: true })
        writeFileSync(join(root, 'etc/exports.d/edge-admin.exports'), serializeExports(all))
        expect(exportfs('-ra')).toMatchObject({ stderr: '', status: 0 })
        const active = parseActive(exportfs('-s').stdout)
        expect([...new Set(active.map((one) => one.path))].sort()).toEqual(all.map((one) => one.path).sort())
        expect(active).toHaveLength(2 * all.length)
      } finally {
        rmSync(root, { recursive: true, force: true })
      }
    },
  )
})

describe('a client of an export', () => {
  const cases: [string, string | undefined][] = [
    ['*', '*'],
    ['192.168.1.77/24', '192.168.1.0/24'],
    ['192.168.1.77/32', '192.168.1.77'],
    ['10.255.255.255/9', '10.128.0.0/9'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1/120', '10.0.0.0/24'],
    ['::ffff:0:0/96', undefined],
    ['FD00:0:0::1', 'fd00::1'],
    ['fd00:1:2:3:4:5:6:7/65', 'fd00:1:2:3::/65'],
    ['::1/1', '::/1'],
    ['::5:6/112', '::0.5.0.0/112'],
    ['::5:6/1', '::/1'],
    ['::1.2.3.4/112', '::1.2.0.0/112'],
    ['64:ff9b::1.2.3.4/112', '64:ff9b::102:0/112'],
    ['::ffff:1.2.3.4/112', '1.2.0.0/16'],
    ['Host.Example.COM', 'host.example.com'],
    ['c?.x', 'c?.x'],
    ['@net-group.1', '@net-group.1'],
    ['10.0.0.0/0', undefined],
    ['10.0.0', undefined],
    ['10.0.0.*', undefined],
    ['-x', undefined],
    ['a/24', undefined],
    ['fe80::1%1', undefined],
    ['[a-z].X', '[a-z].x'],
    ['pc[!0-9]*.lan', 'pc[!0-9]*.lan'],
    ['pc[].lan', undefined],
    ['pc[a.lan', undefined],
    ['pc[a b].lan', undefined],
    ['[2001:DB8::1]', '2001:db8::1'],
    ['[2001:db8::]/32', '2001:db8::/32'],
    ['[pc.lan]', undefined],
    ['2001:db8::1/ffff:ffff::', '2001:db8::/32'],
    ['2001:db8::1/ffff::ffff', undefined],
    ['2001:db8::1/255.255.0.0', undefined],
    ['10.0.0.1/ffff::', undefined],
  ]
  for (const [text, wanted] of cases)
    it(`is ${wanted ?? 'none'}: ${text}`, () => expect(canonicalClient(text)).toBe(wanted))

  it('stays as it is once it is canonical', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4Extended(), fc.ipV4(), fc.ipV6(), fc.domain()), fc.nat(128), (address, length) => {
        for (const text of [address, `${address}/${length}`]) {
          const once = canonicalClient(text)
          if (once !== undefined) expect(canonicalClient(once)).toBe(once)
        }
      }),
    )
  })
})

describe('a complaint', () => {
  it('is about a path wherever in the line it stands by itself', () => {
    expect(mentions('exportfs: /tank/ab conflicts with /tank/a', '/tank/a')).toBe(true)
    expect(mentions('exportfs: /tank/a conflicts with /tank/ab', '/tank/a')).toBe(true)
    expect(mentions('exportfs: /tank/ab conflicts with /x/tank/a', '/tank/a')).toBe(false)
    expect(mentions('exportfs: nothing', '/tank/a')).toBe(false)
  })
})
