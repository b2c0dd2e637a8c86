// The sample appliance that `edge-admin check` is tried on: a new copy for each test, to be broken there. `place` is
// another one in every test, so it is read when it is used, never kept.
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { Configuration } from '../../src/config.ts'
import type { Look } from '../../src/features/check/check.ts'
import { type Finding, isWrong } from '../../src/features/check/finding.ts'
import { placeOf } from '../../src/features/check/here.ts'
import type { Place } from '../../src/features/check/place.ts'
import { makeFolders } from '../../src/features/installation/layout.ts'
import { makeSample } from '../../src/features/installation/sample.ts'

export const repository = join(import.meta.dirname, '../..')
export const isRoot = process.geteuid?.() === 0
export const DAY = 86_400_000

const foldersIn = (folder: string) => ({
  ...{ root: join(folder, 'root'), sysconf: join(folder, 'sysconf') },
  ...{ data: join(folder, 'data'), state: join(folder, 'state') },
})

export let base: string
export let place: Place
export const at = (...parts: string[]) => join(base, ...parts)
export const inRoot = (name: string) => join(place.folders.root, name)
export const inSysconf = (name: string) => join(place.folders.sysconf, name)

/** Call it once in a test file, before its tests. */
export function sampleAppliance(): void {
  // One for all: its keys are what takes long.
  const template = mkdtempSync(join(tmpdir(), 'edge-check-sample-'))
  beforeAll(() => {
    makeFolders(foldersIn(template))
    makeSample(foldersIn(template))
    cpSync(join(repository, 'scripts'), join(template, 'scripts'), { recursive: true })
  })
  afterAll(() => rmSync(template, { recursive: true, force: true }))
  beforeEach(async () => {
    base = mkdtempSync(join(tmpdir(), 'edge-check-'))
    cpSync(template, base, { recursive: true })
    const folders = foldersIn(base)
    lay(at('system/etc/passwd'), 'root:x:0:0::/root:/bin/sh\nadmin:x:4711:4711::/:/bin/false\n')
    mkdirSync(at('system/bin'))
    symlinkSync('/bin/sh', at('system/bin/sh'))
    const configured = { settings: settings(), file: at('sysconf/edge-admin.json') }
    place = await placeOf({ folders, scripts: at('scripts'), configured, system: at('system') })
  })
  afterEach(() => rmSync(base, { recursive: true, force: true }))
}

/** A file of the appliance, with everything above it. */
export function lay(file: string, text: string | Buffer, mode = 0o644): string {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text, { mode })
  chmodSync(file, mode)
  return file
}
export const settings = (more: object = {}) => ({
  ...Configuration.parse({ endpoints: ['settings', 'certs', 'license', 'storage', 'backup'], ...more }),
})
export async function otherwise(more: Partial<Place>): Promise<Place> {
  const { run: _, ...rest } = place
  return { ...(await placeOf({ ...rest, ...more })), ...more }
}
export const configured = (more: object, elsewhere: Partial<Place> = {}) =>
  otherwise({ configured: { settings: settings(more), file: at('sysconf/edge-admin.json') }, ...elsewhere })

const named = (subject: string) => subject.replace(`${base}/`, '')
export const wrong = (findings: Finding[]) => findings.filter(isWrong).map(({ id, subject }) => [id, named(subject)])
export const ids = (findings: Finding[]) => findings.map(({ id }) => id)
/** What is said of it at all: `LEVEL ID SUBJECT`. */
export const told = (findings: Finding[]) =>
  findings.map(({ level, id, subject }) => `${level} ${id} ${named(subject)}`)
/** Breaks it, and expects these findings and no other that is wrong; each says how to mend it. */
export async function finds(look: Look['look'], expected: [string, string][], here = place) {
  const findings = await look(here)
  expect(wrong(findings)).toEqual(expected)
  for (const { message, mend, level } of findings)
    if (level !== 'ok' && level !== 'note') expect([message, mend !== '']).toEqual([message, true])
}
