// The original's variables and its configuration file, unchanged: what they still decide, and what is said of each that decides nothing.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readPlan } from '../../src/cli/serve-plan.ts'
import { Configuration } from '../../src/config.ts'
import { placeOf } from '../../src/features/check/here.ts'
import { lookAtVariables } from '../../src/features/check/original-variables.ts'
import { type Environment, VARIABLES } from '../../src/features/original/environment.ts'

const URL = 'https://HERE:1'
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-original-'))
  mkdirSync(join(folder, 'etc'))
  writeFileSync(join(folder, 'etc/api.token'), 'yourtoken\n')
})
afterEach(() => rmSync(folder, { recursive: true }))
const put = (name: string, value: unknown) => writeFileSync(join(folder, name), JSON.stringify(value))
const original = (more: object = {}) => put('jidoteki-admin-api.json', { endpoints: ['backup'], ...more })
const unclaimed = (text?: string) => {
  original()
  rmSync(join(folder, 'etc/api.token'))
  if (text !== undefined) writeFileSync(join(folder, 'etc/api.token'), text)
}
function plan(environment: Environment, ...args: string[]) {
  const found = readPlan(
    ['--root', folder, '--sysconfdir', folder, '--datadir', folder, '--statedir', folder, ...args],
    environment,
  )
  return { ...found, said: found.sentences(URL) }
}
/** One sentence, and nothing that would break a line of a log. */
const one = (text: string) => [expect.stringContaining(text)]

it('nothing of the original is nothing to say', () => {
  const { host, port, said } = plan({ PATH: '/bin' })
  expect([host, port, said]).toEqual(['127.0.0.1', 8443, []])
})

it('what its configuration file has and nothing here knows is said, and stops nothing', () => {
  original({ custom: true })
  expect(plan({ JIDO_WITH_SSL: 'true' }).said[0]).toContain(
    `${join(folder, 'jidoteki-admin-api.json')}: no key that is known here, and ignored: "custom"`,
  )
})

it('a key at its old place in our own file is named, with its new place', () => {
  const file = join(folder, 'edge-admin.json')
  writeFileSync(file, '{"surfaces":{"controller":{"file-vdevs":"/v"}}}')
  const { said, config } = plan({})
  expect(said).toEqual([
    expect.stringContaining(`${file}: surfaces.controller.file-vdevs is called storage.file-vdevs now`),
  ])
  expect(config.storage['file-vdevs']).toBe('/v')
})

it('JIDO_WITH_SSL=true opens the port that it opened in the original, and says so', () => {
  original()
  const { host, port, tls, said, keys } = plan({ JIDO_WITH_SSL: 'true' })
  expect([host, port, tls, keys.host]).toEqual(['0.0.0.0', 8443, true, 'JIDO_WITH_SSL'])
  expect(said).toEqual(one(`at every address, as the original did (${URL})`))
  rmSync(join(folder, 'jidoteki-admin-api.json'))
  expect(plan({ JIDO_WITH_SSL: 'true' }).host).toBe('0.0.0.0')
})

it.each<[string, () => void, Environment, string[], string]>([
  ['without TLS', () => original({ tls: { enabled: false } }), {}, [], 'TLS is switched off'],
  ['without TLS on the command line', original, {}, ['--no-tls'], 'TLS is switched off'],
  ['with an address on the command line', original, {}, ['--host', '127.0.0.2'], 'where to listen is said elsewhere'],
  ['with an address in the file', () => original({ listen: { host: '127.0.0.2' } }), {}, [], 'said elsewhere'],
  ['with a file of our own', () => put('edge-admin.json', {}), {}, [], 'edge-admin.json decides where to listen'],
  ['with another value', original, { JIDO_WITH_SSL: 'yes' }, [], 'JIDO_WITH_SSL=yes does nothing any more'],
  ['with nobody’s token', () => unclaimed(), {}, [], 'whoever came first'],
  ['with an empty token', () => unclaimed(''), {}, [], 'came first'],
])('SEC-28 JIDO_WITH_SSL opens nothing %s', (_name, prepare, environment, args, why) => {
  prepare()
  const { host, said } = plan({ JIDO_WITH_SSL: 'true', ...environment }, ...args)
  expect(host).toMatch(/^127\./)
  expect(said.filter((sentence) => sentence.includes('JIDO_WITH_SSL'))).toEqual(one(why))
  expect(said.join()).toContain(URL)
})

it('SEC-12 a pending first run is a claim: nobody can come first without its phrase', () => {
  rmSync(join(folder, 'etc/api.token'))
  original({ 'first-run': { 'word-length': 4, enabled: true } })
  expect(plan({ JIDO_WITH_SSL: 'true' }).host).toBe('0.0.0.0')
  original({ 'first-run': { 'word-length': 0, enabled: true } })
  expect(plan({ JIDO_WITH_SSL: 'true' }).host).toBe('127.0.0.1')
})

it('an unchanged configuration without a word of TLS stays on loopback, and the log says how to let others in', () => {
  original()
  const { host, said } = plan({})
  expect(host).toBe('127.0.0.1')
  expect(said).toEqual(one(`this listens at ${URL} only. "listen": {"host": "0.0.0.0"}`))
  original({ listen: { host: '127.0.0.1' } })
  expect(plan({}).said).toEqual([])
  expect(plan({}, '--host', '127.0.0.1').said).toEqual([])
})

it.each([
  ['JIDO_API_PORT', '8080', `plain HTTP, which is not opened; this listens at ${URL}`],
  ['JIDO_STUNNEL_BIN', '/usr/bin/stunnel4', 'no stunnel is started'],
  ['JIDO_API_CUSTOM', 'mine', 'are not loaded'],
  ['JIDO_API_VERSION', '2', 'the API has one version, 1'],
])('%s is said to do nothing any more, once, and changes nothing', (name, value, why) => {
  const { host, port, said } = plan({ [name]: value })
  expect([host, port]).toEqual(['127.0.0.1', 8443])
  expect(said).toEqual([`${name}=${value} does nothing any more: ${said[0]?.split(': ')[1]}`])
  expect(said).toEqual(one(why))
  expect(plan({ [name]: '' }).said).toEqual([])
})

it('the version that we speak is no matter', () => {
  expect(plan({ JIDO_API_VERSION: '1' }).said).toEqual([])
})

it('JIDO_ADMIN_PATH is the root folder where nobody names one', () => {
  const where = ['--sysconfdir', folder, '--datadir', folder, '--statedir', folder]
  const { folders, sentences } = readPlan(where, { JIDO_ADMIN_PATH: `${folder}/` })
  expect([folders.root, sentences(URL)]).toEqual([folder, []])
  expect(plan({ JIDO_ADMIN_PATH: `${folder}/` }).said).toEqual([])
  expect(plan({ JIDO_ADMIN_PATH: '/elsewhere/' }).said).toEqual(one(`is not followed: --root says ${folder}`))
  expect(() => readPlan(where, { JIDO_ADMIN_PATH: 'tinyadmin/' })).toThrow('JIDO_ADMIN_PATH: expected an absolute path')
})

it('what stands in a variable breaks no line, and no log', () => {
  const [said = ''] = plan({ JIDO_API_CUSTOM: `a\nb\x1b[31m${'c'.repeat(1000)}` }).said
  expect(said).not.toMatch(/[\x00-\x1f]/)
  expect(said.length).toBeLessThan(400)
})

it('a start, a check before a migration and the guide know the same variables', async () => {
  const set = Object.fromEntries(VARIABLES.map((name) => [name, '/other']))
  const { said } = plan(set)
  mkdirSync(join(folder, 'init.d'))
  const lines = Object.entries(set).map(([name, value]) => `export ${name}="${value}"\n`)
  writeFileSync(join(folder, 'init.d/jidoteki-admin-api'), `#!/bin/sh\n${lines.join('')}`)
  const folders = { root: folder, sysconf: folder, data: folder, state: folder }
  const configured = { settings: Configuration.parse({}), file: undefined }
  const place = await placeOf({ folders, scripts: folder, configured, system: folder, environment: {} })
  const found = await lookAtVariables(place)
  const named = (texts: string[]) => texts.map((text) => /^JIDO_[A-Z_]+/.exec(text)?.[0])
  expect(named(said)).toEqual(VARIABLES)
  expect(named(found.map(({ subject }) => subject))).toEqual(VARIABLES)
  rmSync(join(folder, 'init.d'), { recursive: true })
  expect(await lookAtVariables({ ...place, environment: set })).toEqual(found)
  for (const file of [
    'src/features/original/environment.ts',
    'src/features/check/original-variables.ts',
    'docs/migration.md',
  ]) {
    const text = readFileSync(join(import.meta.dirname, '../..', file), 'utf8')
    expect([...new Set(text.match(/JIDO_[A-Z_]+/g))].sort(), file).toEqual([...VARIABLES].sort())
  }
})
