// What `edge-admin check --from-original` says beforehand: each of its findings, on a root that would lead to it.
import { chownSync, rmSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { MIGRATION_LOOKS } from '../../src/features/check/check.ts'
import { lookAtOriginal } from '../../src/features/check/original.ts'
import type { Place } from '../../src/features/check/place.ts'
import {
  at,
  configured,
  inRoot,
  inSysconf,
  isRoot,
  lay,
  otherwise,
  place,
  sampleAppliance,
  told,
} from './check-place.ts'

sampleAppliance()
/** Said of every original: the port is another one. */
const PORT = 'note migration.port listen 127.0.0.1:8443'
const said = async (here: Place = place) => told(await lookAtOriginal(here)).filter((line) => line !== PORT)
beforeEach(() => rmSync(inRoot('etc/api.token'), { force: true }))

it('is asked what counts before our own folders are made', () => {
  expect(MIGRATION_LOOKS.map(({ area }) => area)).toEqual([
    ...['migration', 'configuration', 'node', 'programs', 'keys', 'lists', 'hooks', 'clock', 'certificate', 'persist'],
  ])
})

it('says of every original that its port is another one, and nothing more where there is nothing more', async () => {
  expect(told(await lookAtOriginal(place))).toEqual([PORT])
  const [open] = await lookAtOriginal(await configured({ listen: { host: '0.0.0.0', port: 443 } }))
  expect([open?.subject, open?.mend]).toEqual(['listen 0.0.0.0:443', 'Let clients use https.'])
})

describe('the token', () => {
  it('that will be kept as its hash alone, once', async () => {
    lay(inRoot('etc/api.token'), 'my-token\n')
    expect(await said()).toEqual(['note migration.token root/etc/api.token'])
    lay(inRoot('etc/api.token'), 'sha256 00\n')
    expect(await said()).toEqual([])
  })

  it('whose set-up was begun', async () => {
    lay(inRoot('etc/api.token.setup'), '')
    expect(await said()).toEqual([])
    lay(inRoot('etc/api.token.setup'), 'four words of it\n')
    expect(await said()).toEqual(['note migration.set-up root/etc/api.token.setup'])
  })
})

it('names its scripts, which are no longer called, and its wrapper, which can be', async () => {
  lay(inRoot('bin/update_vm.sh'), '')
  expect(await said()).toEqual(['note migration.scripts root/bin'])
  lay(inRoot('bin/wrapper.sh'), '')
  expect(await said()).toEqual(['note migration.scripts root/bin', 'note migration.wrapper root/bin/wrapper.sh'])
})

it('warns of a script of its own that is at work', async () => {
  lay(at('system/tmp/update_vm.sh.task'), '1\n')
  lay(at('system/tmp/update_vm.sh.task.old'), '1\n')
  expect(await said()).toEqual(['warning migration.at-work system/tmp/update_vm.sh.task'])
})

it('says that the file of stunnel is not read', async () => {
  lay(inSysconf('pki/tls/enterprise.pem'), '')
  expect(await said()).toEqual(['note migration.pem sysconf/pki/tls/enterprise.pem'])
})

it('names what will be root’s in sudo mode', async (context) => {
  if (!isRoot) return context.skip('only root can give files to others')
  chownSync(inRoot('etc/logs.txt'), 4711, 4711)
  expect(await said()).toEqual([])
  const sudo = await configured({ privilege: 'sudo' })
  expect(await said(sudo)).toEqual(['note migration.owners root/etc'])
  const message = (await lookAtOriginal(sudo)).find(({ id }) => id === 'migration.owners')?.message
  expect(message).toMatch(/: logs\.txt$/)
})

describe('the variables of its environment', () => {
  const of = async (environment: Record<string, string>) => said(await otherwise({ environment }))

  it.each([
    ['JIDO_API_PORT', '8080', 'note migration.variable'],
    ['JIDO_WITH_SSL', 'true', 'note migration.variable'],
    ['JIDO_STUNNEL_BIN', '/usr/bin/stunnel', 'note migration.variable'],
    ['JIDO_API_CUSTOM', 'custom.l', 'warning migration.own-pages'],
    ['JIDO_API_VERSION', '2', 'warning migration.api-version'],
    ['JIDO_ADMIN_PATH', '/opt/else', 'warning migration.other-folder'],
  ])('%s, where it has a value', async (name, value, finding) => {
    expect(await of({ [name]: value })).toEqual([`${finding} ${name}=${value}`])
    expect(await of({ [name]: '' })).toEqual([])
    lay(at('system/etc/init.d/jidoteki-admin-api'), `#!/bin/sh\nexport ${name}="${value}"\n`)
    expect(await said()).toEqual([`${finding} ${name}=${value}`])
  })

  it('that change nothing', async () => {
    expect(
      await of({ JIDO_API_VERSION: '1', JIDO_ADMIN_PATH: `${place.folders.root}/`, JIDO_ELSE: 'x', PATH: 'x' }),
    ).toEqual([])
  })
})

it('says that parameters switch nothing on', async () => {
  const file = inSysconf('jidoteki-admin-api.json')
  for (const [text, isTold] of [
    ['{"parameters":["action"]}', true],
    ['{"parameters":[]}', false],
    ['{"endpoints":["backup"]}', false],
    ['no JSON', false],
  ] as const) {
    lay(file, text)
    expect([text, await said()]).toEqual([
      text,
      isTold ? ['note migration.parameters sysconf/jidoteki-admin-api.json'] : [],
    ])
  }
})
