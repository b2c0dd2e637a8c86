// What `package build` refuses because no appliance could run it, and what it takes all the same. A script may carry
// any bytes behind its text, so only its beginning is looked at.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { listPayload } from '../../src/features/package/payload.ts'
import { checkScript, checkText } from '../../src/features/package/script.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'package-script-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const utf16 = (text: string) => Buffer.from(text, 'utf16le')
const check = (name: string, content: string | Buffer, mode = 0o755) => {
  writeFileSync(join(folder, name), content)
  chmodSync(join(folder, name), mode)
  return checkScript(folder, listPayload(folder))
}

describe('package build', () => {
  it.each<[string, string | Buffer, RegExp, number?]>([
    ['CR LF', '#!/bin/sh\r\necho\r\n', /lines end in CR LF/],
    ['CR LF without an interpreter', 'set -e\r\necho\r\n', /lines end in CR LF/],
    ['CR alone', '#!/bin/sh\recho\r', /lines end in CR LF/],
    ['a byte order mark', '\ufeff#!/bin/sh\n', /byte order mark/],
    ['UTF-16', Buffer.concat([Buffer.from([0xff, 0xfe]), utf16('#!/bin/sh\n')]), /UTF-16 with a byte order mark/],
    ['UTF-16 of the other order', Buffer.concat([Buffer.from([0xfe, 0xff]), utf16('#!').swap16()]), /UTF-16 with/],
    ['UTF-16 without a mark', utf16('#!/bin/sh\n'), /UTF-16 without a byte order mark/],
    ['nothing', '', /it is empty/],
    ['a blank line before the first', '\n#!/bin/sh\n', /has to be the first two bytes/],
    ['a program', '\x7fELF\x02', /a program/],
    ['a relative interpreter', '#!bash\n', /no program by its absolute path/],
    ['no interpreter behind its mark', '#!\n', /no program by its absolute path/],
    ['an interpreter of Windows', '#!C:\\bin\\bash.exe\n', /no program by its absolute path/],
    ['env alone', '#!/usr/bin/env\n', /no program after env/],
    ['a first line that is too long', `#!/bin/sh ${'x'.repeat(250)}\n`, /longer than 255/],
    ['bash that is not executable', '#!/bin/bash\n', /not executable.*\/bin\/bash/, 0o644],
    ['python through env that is not executable', '#!/usr/bin/env python3\n', /not executable.*python3/, 0o644],
  ])('refuses an update.sh with %s', (_what, content, message, mode) => {
    expect(() => check('update.sh', content, mode)).toThrow(message)
  })

  it.each<[string, string | Buffer, number?]>([
    ['a shell', '#!/bin/sh\necho\n'],
    ['no interpreter', 'echo\n', 0o644],
    ['a shell that is not executable', '#! /bin/busybox sh\necho\n', 0o644],
    ['bash', '#!/usr/bin/env bash\n'],
    ['a first line of 255 bytes', `#!/bin/sh ${'x'.repeat(245)}\n`],
    ['a program behind its text', Buffer.concat([Buffer.from('#!/bin/sh\nexit\n'), Buffer.from([0, 0xff, 0xfe])])],
    ['latin1 in a comment', Buffer.from('#!/bin/sh\n# K\xe4se\n', 'latin1')],
  ])('takes an update.sh with %s', (_what, content, mode) => {
    expect(check('update.sh', content, mode)).toEqual([])
  })

  it('warns of a line that ends in CR LF further down', () => {
    expect(check('update.sh', '#!/bin/sh\necho a\necho b\r\n')).toEqual([expect.stringContaining('line 3')])
  })

  it.each(['Update.sh', 'UPDATE.SH', 'update.sh.txt', 'update.sh ', 'Version.txt', 'version.txt.txt', 'PRODUCT.txt'])(
    'refuses %j, which the appliance would not find',
    (name) => {
      expect(() => check(name, '#!/bin/sh\n')).toThrow(/the appliance looks for (update\.sh|version\.txt|product\.txt)/)
    },
  )

  it('takes such a name beside the right one, and below a folder', () => {
    mkdirSync(join(folder, 'more'))
    writeFileSync(join(folder, 'more/Update.sh'), '')
    writeFileSync(join(folder, 'Update.sh'), '')
    expect(check('update.sh', '#!/bin/sh\n')).toEqual([])
  })

  it('looks at what a link leads to, and refuses a folder', () => {
    writeFileSync(join(folder, 'real.sh'), '#!/bin/sh\r\n')
    symlinkSync('real.sh', join(folder, 'update.sh'))
    expect(() => checkScript(folder, listPayload(folder))).toThrow(/CR LF/)
    rmSync(join(folder, 'update.sh'))
    mkdirSync(join(folder, 'update.sh'))
    expect(() => checkScript(folder, listPayload(folder))).toThrow(/not a plain file/)
  })

  it('names a version.txt in UTF-16, and takes one with a mark', () => {
    const path = join(folder, 'version.txt')
    writeFileSync(path, Buffer.concat([Buffer.from([0xff, 0xfe]), utf16('1.0')]))
    expect(() => checkText(path)).toThrow(/UTF-16/)
    writeFileSync(path, '\ufeff1.0\r\n')
    expect(() => checkText(path)).not.toThrow()
  })
})
