// How closed the unit is, as systemd-analyze sees it: it gets no worse, and every protection that is left out has its
// reason in the unit. A newer systemd asks for more; what this list does not know is not asked for.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { USAGE } from '../../src/cli/command.ts'
import { CONFIG, TRY_AGAIN, UNAVAILABLE } from '../../src/cli/exit-status.ts'
import { REPOSITORY } from './sandbox.ts'

const temp = mkdtempSync(join(tmpdir(), 'edge-admin-unit-'))
afterAll(() => rmSync(temp, { recursive: true, force: true }))
const units = join(temp, 'usr/lib/systemd/system')
const source = (name: string) => readFileSync(join(REPOSITORY, 'etc', name), 'utf8')

interface Check {
  /** The directive; of a list with the entry, as `CapabilityBoundingSet=~CAP_KILL`. */
  name: string
  set: boolean | null
  exposure: string | null
}

function analyze(...args: string[]) {
  return spawnSync('systemd-analyze', ['security', `--root=${temp}`, '--offline=yes', '--no-pager', ...args], {
    encoding: 'utf8',
  })
}
/** The directives that systemd 252 asks for. */
const KNOWN = new Set(
  `AmbientCapabilities CapabilityBoundingSet Delegate DeviceAllow DynamicUser IPAddressDeny KeyringMode LockPersonality
  MemoryDenyWriteExecute NoNewPrivileges NotifyAccess PrivateDevices PrivateMounts PrivateNetwork PrivateTmp PrivateUsers
  ProcSubset ProtectClock ProtectControlGroups ProtectHome ProtectHostname ProtectKernelLogs ProtectKernelModules
  ProtectKernelTunables ProtectProc ProtectSystem RemoveIPC RestrictAddressFamilies RestrictNamespaces RestrictRealtime
  RestrictSUIDSGID RootDirectory RootImage SupplementaryGroups SystemCallArchitectures SystemCallFilter UMask User`
    .split(/\s+/)
    .map((name) => `${name}=`),
)
const version = Number(
  /^systemd (\d+)/.exec(spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1],
)
const reason = version >= 250 ? undefined : 'there is no systemd-analyze that looks at files (systemd 250)'

beforeAll(() => {
  const fill = (text: string) => text.replace(/@[A-Z]+@/g, (name) => (name === '@USER@' ? 'admin' : '/opt'))
  mkdirSync(join(units, 'edge-admin-sudo.service.d'), { recursive: true })
  for (const name of ['edge-admin', 'edge-admin-sudo'])
    writeFileSync(join(units, `${name}.service`), fill(source('edge-admin.service')))
  writeFileSync(join(units, 'edge-admin-sudo.service.d/sudo.conf'), fill(source('edge-admin-sudo.conf')))
})

describe('the unit', () => {
  it('starts the server again, but for what does not go by itself', () => {
    const unit = source('edge-admin.service')
    expect(unit).toMatch(/^Restart=on-failure$/m)
    const ends = /^RestartPreventExitStatus=(.*)$/m.exec(unit)?.[1]?.split(' ').map(Number)
    expect(ends?.sort()).toEqual([USAGE, UNAVAILABLE, CONFIG].sort())
    expect(ends).not.toContain(TRY_AGAIN)
  })

  it.for([
    ['of the server that is root', 'edge-admin', 80],
    ['of the server that has sudo', 'edge-admin-sudo', 92],
  ] as const)('%s is not less closed than it was', ([, name, most], context) => {
    if (reason) context.skip(reason)
    if (version !== 252) context.skip('each systemd weighs in its own way; the figure is that of 252')
    // Tenths; the exit status tells whether it is at most this.
    const { status, stdout, stderr } = analyze(`--threshold=${most}`, `${name}.service`)
    expect([status, stderr], stdout.trimEnd().split('\n').at(-1)).toEqual([0, ''])
  })

  it('says of each protection that is left out why it is', (context) => {
    if (reason) context.skip(reason)
    const checks = JSON.parse(analyze('--json=short', 'edge-admin.service').stdout) as Check[]
    const open = checks.filter(({ set, exposure }) => set === false && exposure !== null).map(({ name }) => name)
    // Of a list (`SystemCallFilter=~@swap`) the directive; of alternatives (`User=/DynamicUser=`) each.
    const directives = new Set(open.flatMap((name) => name.split('/').map((one) => /^\w+=/.exec(one)?.[0] ?? one)))
    expect(directives.size).toBeGreaterThan(20)
    const reasons = source('edge-admin.service').replace(/^[^#].*$/gm, '')
    const set = new Set(source('edge-admin.service').match(/^\w+=/gm))
    expect([...directives].filter((one) => KNOWN.has(one) && !reasons.includes(one) && !set.has(one))).toEqual([])
  })
})
