// Which script does a task of each kind, with and without the original's wrapper. A kind that is not declared would
// quietly go past it.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { KINDS } from '../../src/tasks/kinds.ts'
import { Tasks } from '../../src/tasks/tasks.ts'

const REPOSITORY = resolve(import.meta.dirname, '../..')
const temp = mkdtempSync(join(tmpdir(), 'edge-admin-kinds-'))
afterAll(() => rmSync(temp, { recursive: true, force: true }))

/** Scripts that are tasks. */
const scripts = readdirSync(join(REPOSITORY, 'scripts'))
  .filter((name) => name.endsWith('.sh') && name !== 'wrapper.sh')
  .filter((name) => /^(main "\$@"|\. .*\/pool\.sh")$/m.test(readFileSync(join(REPOSITORY, 'scripts', name), 'utf8')))
  .map((name) => name.replace(/\.sh$/, ''))

/** What the original's server asks its wrapper for, and runs (facts: jidoteki.md 1.1, 5). */
const ORIGINAL = [
  'backup',
  'certs',
  'debug',
  'license',
  'logs',
  'reboot',
  'restore',
  'settings',
  'storage',
  'token',
  'update',
]

it('is declared for every script that is a task, and for every kind that the source starts', () => {
  const started = sources('src').flatMap((text) =>
    [...text.matchAll(/\.(?:start|startNext)\(\s*'([a-z-]+)'/g)].map(([, kind]) => kind!),
  )
  expect(started.length).toBeGreaterThan(5)
  expect(Object.keys(KINDS).sort()).toEqual([...new Set([...scripts, ...started, 'token'])].sort())
  expect(
    Object.keys(KINDS)
      .filter((kind) => KINDS[kind]?.wrapped)
      .sort(),
  ).toEqual(ORIGINAL)
})

describe.each([true, false])('where there is a wrapper: %s', (wrapped) => {
  it.each(Object.keys(KINDS))('%s', async (kind) => {
    const at = (name: string) => join(temp, `${kind}-${wrapped}`, name)
    const folders = { root: at('root'), sysconf: at('sysconf'), data: at('data'), state: at('state') }
    for (const folder of ['root', 'scripts']) mkdirSync(at(folder), { recursive: true })
    const recorder = `#!/bin/sh
echo "\${0##*/} $1 $3 $4" >>'${at('calls')}'
status=completed
# One that has begun.
: >"$2/pid"
[ "$1" = recover ] || [ ! -e '${at('die')}' ] || exit 1
printf '{"id":"%s","kind":"${kind}","status":"%s","progress":0,"message":"","created_at":""}' "\${2##*/}" "$status" >"$2/status.json"
`
    for (const name of Object.keys(KINDS).concat('wrapper'))
      writeFileSync(at(`scripts/${name}.sh`), recorder, { mode: 0o755 })
    const make = (now: boolean) =>
      new Tasks({
        ...{ folders, scripts: at('scripts'), privilege: 'none', environment: {}, longest: 60, wrapped: now },
        onEnd() {},
        warn() {},
      })
    const tasks = make(wrapped)
    const by = { name: 'test', address: 'local' }
    const goes = wrapped && ORIGINAL.includes(kind)
    const called = (action: string) => (goes ? `wrapper.sh ${action} ${kind} one\n` : `${kind}.sh ${action} one \n`)
    await tasks.wait((await tasks.start(kind, { args: ['one'], by }))?.id ?? '')
    expect(readFileSync(at('calls'), 'utf8')).toBe(called('run'))
    // Whoever began it puts it right, whatever the configuration says by then.
    rmSync(at('calls'))
    writeFileSync(at('die'), '')
    const id = (await tasks.start(kind, { args: ['one'], by }))?.id ?? ''
    await tasks.wait(id)
    expect(readFileSync(at('calls'), 'utf8')).toBe(called('run') + called('recover'))
    tasks.close()
    rmSync(at('calls'))
    const status = { id, kind, status: 'running', progress: 0, message: '', created_at: '' }
    writeFileSync(join(folders.state, 'tasks', id, 'status.json'), JSON.stringify(status))
    const later = make(!wrapped)
    await later.settle(id)
    expect(existsSync(at('calls')) && readFileSync(at('calls'), 'utf8')).toBe(called('recover'))
    later.close()
  })
})

function sources(folder: string): string[] {
  return readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith('page/'))
    .map((name) => readFileSync(join(REPOSITORY, folder, name), 'utf8'))
}
