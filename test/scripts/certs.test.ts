// certs.sh: a pair is checked, tried in a handshake, and put in place as a whole. The lines in update_certs.log are
// compared with those of the original, so their blanks and names count.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest'
import { makeSelfSigned } from '../../src/http/server/self-made.ts'
import { layMemoryTool } from '../fakes/original/lay.ts'
import { faultsIn, inTurn } from './pairwise.ts'
import { type Faults, FIXTURES, faultRow, Sandbox, SHELLS, SWAP_STEPS } from './sandbox.ts'

const open: Sandbox[] = []
const sandbox = (shell: string) => {
  const made = new Sandbox(shell)
  open.push(made)
  return made
}
afterEach(() => {
  for (const made of open.splice(0)) made.remove()
})

const fixture = (name: string) => readFileSync(join(FIXTURES, name), 'utf8')
const pair = (certificate: string, key: string, ca?: string) => ({
  'appliance.pem': certificate,
  'appliance.key': key,
  ...(ca !== undefined && { 'ca.pem': ca }),
})
const RSA = () => pair(fixture('rsa.pem'), fixture('rsa.key'))
const EC = () => pair(fixture('ec.pem'), fixture('ec.key'))

const OPENSSL = execFileSync('sh', ['-c', 'command -v openssl'], { encoding: 'utf8' }).trim()
const PKI = 'sysconf/pki/tls'
const FILES = [
  'private/enterprise.key',
  'certs/enterprise.crt',
  'enterprise.pem',
  'cacerts/enterprise-ca.crt',
  'cacerts/ca-bundle.crt',
]
const installed = (made: Sandbox) => FILES.map((file) => made.read(`${PKI}/${file}`))
/** The pair of before: what it holds does not matter to the script. */
const writeOld = (made: Sandbox) => {
  for (const file of FILES.slice(0, 3)) made.write(`${PKI}/${file}`, `old ${file}\n`)
}
const nothing = FILES.map(() => undefined)
const status = (made: Sandbox) => made.read('root/etc/status_certs.txt')
const log = (made: Sandbox) =>
  made
    .read('root/log/update_certs.log')
    ?.replace(/\[\d+\]\[SYSTEM\]/g, '[N]')
    .replace(/\b[0-9a-f]{64}\b/g, 'H')

/** Keys and certificates that the fixtures do not have: root → middle → leaf, and others. */
let folder: string
const made = (name: string) => readFileSync(join(folder, name), 'utf8')
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-certs-'))
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  writeFileSync(join(folder, 'ca.cnf'), 'basicConstraints=critical,CA:TRUE\n')
  openssl('req', '-x509', ...newKey, '-keyout', 'root.key', '-out', 'root.pem', '-days', '300', '-subj', '/CN=Root')
  for (const [name, issuer, days] of [
    ['middle', 'root', '300'],
    ['leaf', 'middle', '200'],
    ['soon', 'middle', '5'],
  ] as const) {
    openssl('req', '-new', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    const ca = name === 'middle' ? ['-extfile', 'ca.cnf'] : []
    const by = ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`, '-CAcreateserial']
    openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.pem`, '-days', days, ...ca)
  }
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:1024',
    '-nodes',
    '-keyout',
    'weak.key',
    '-out',
    'weak.pem',
    '-subj',
    '/CN=weak',
  )
  openssl('req', '-x509', '-newkey', 'ed25519', '-nodes', '-keyout', 'ed.key', '-out', 'ed.pem', '-subj', '/CN=ed')
  openssl('pkey', '-in', 'leaf.key', '-aes128', '-passout', 'pass:', '-out', 'empty-pass.key')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.each(SHELLS)('certs.sh under %s', (shell) => {
  const test = inTurn(shell)
  test('puts an RSA pair in place and writes what the original writes', () => {
    const box = sandbox(shell)
    const ended = box.run('certs', { inputs: RSA() })
    expect(ended.status.status, ended.log).toBe('completed')
    const [key, certificate, both, ...ca] = installed(box)
    expect([key, certificate, both]).toEqual([
      fixture('rsa.key'),
      fixture('rsa.pem'),
      fixture('rsa.key') + fixture('rsa.pem'),
    ])
    expect(ca).toEqual([undefined, undefined])
    expect(FILES.slice(0, 3).map((file) => statSync(join(box.folder, PKI, file)).mode & 0o777)).toEqual([
      0o640, 0o640, 0o640,
    ])
    expect(status(box)).toBe('success\n')
    expect(log(box)).toBe(`[N] Validating and adding TLS certificates
Checking public key: appliance.pem
Checking private key: appliance.key
Public key SHA256 hash:  H  -
Private key SHA256 hash: H  -
Dry-run TLS certificate: stunnel.conf
[N] Add TLS certificates successful
`)
    for (const left of ['try', 'swap', 'input/appliance.key'])
      expect(existsSync(join(ended.task, left)), left).toBe(false)
  })

  test.each([
    ['ECDSA', EC],
    ['Ed25519', () => pair(made('ed.pem'), made('ed.key'))],
    ['PKCS#1', () => pair(fixture('rsa.pem'), fixture('rsa_pkcs1.key'))],
  ])('SEC-27 takes a pair of %s', (_, inputs) => {
    const box = sandbox(shell)
    const ended = box.run('certs', { inputs: inputs() })
    expect(ended.status.status, `${ended.log}${log(box)}`).toBe('completed')
    expect(installed(box)[0]).toBe(inputs()['appliance.key'])
  })

  test('turns the line ends of Windows into ours', () => {
    const box = sandbox(shell)
    const crlf = (text: string) => text.replaceAll('\n', '\r\n')
    expect(box.run('certs', { inputs: pair(fixture('rsa_crlf.pem'), crlf(fixture('rsa.key'))) }).code).toBe(0)
    expect(installed(box).slice(0, 2)).toEqual([fixture('rsa.key'), fixture('rsa.pem')])
  })

  test('takes a byte order mark, END and BEGIN on one line, and blanks before a block', () => {
    const box = sandbox(shell)
    const chain = `\ufeff${made('leaf.pem').trimEnd()}${made('middle.pem')}`
    expect(box.run('certs', { inputs: pair(chain, `\ufeff  ${made('leaf.key')}`) }).code).toBe(0)
    expect(installed(box).slice(0, 2)).toEqual([made('leaf.key'), made('leaf.pem') + made('middle.pem')])
  })

  test('warns of a certificate that begins later, and of an issuer that is not sent along', async () => {
    const box = sandbox(shell)
    const later = await makeSelfSigned({ names: { hosts: ['nas'], addresses: [] }, now: Date.now() + 300 * 86_400_000 })
    expect(box.run('certs', { inputs: pair(later.cert, later.key) }).code).toBe(0)
    expect(log(box)).toMatch(/\nWARNING: appliance\.pem is not valid yet: notBefore=\w+ .* GMT\n/)
    expect(log(box)).not.toContain('intermediate')
    expect(box.run('certs', { inputs: pair(made('leaf.pem'), made('leaf.key')) }).code).toBe(0)
    expect(log(box)).toMatch(/\nWARNING: the issuer of certificate 1 of appliance\.pem is not sent along/)
  })

  test('serves a chain that is in order, and leaves out what is around the blocks', () => {
    const box = sandbox(shell)
    const chain = `subject=/CN=leaf\n${made('leaf.pem')}\nissuer\n${made('middle.pem')}`
    const ended = box.run('certs', { inputs: pair(chain, made('leaf.key')) })
    expect(ended.status.status, `${ended.log}${log(box)}`).toBe('completed')
    expect(installed(box)[1]).toBe(made('leaf.pem') + made('middle.pem'))
  })

  test('sends the CA along when it issued the last certificate, and keeps it for clients', () => {
    const box = sandbox(shell)
    box.write('net/etc/ssl/certs/ca-certificates.crt', '# the system\n')
    const chain = made('leaf.pem') + made('middle.pem')
    const ended = box.run('certs', { inputs: pair(chain, made('leaf.key'), made('root.pem')) })
    expect(ended.status.status, `${ended.log}${log(box)}`).toBe('completed')
    const [key, , both, ca, bundle] = installed(box)
    expect(both).toBe(key + chain + made('root.pem'))
    expect([ca, bundle]).toEqual([made('root.pem'), `# the system\n${made('root.pem')}`])
    expect(log(box)).toContain('Checking CA certificate: ca.pem\nDry-run')
  })

  test('warns of a CA that issued something else, and does not send it along', () => {
    const box = sandbox(shell)
    expect(box.run('certs', { inputs: { ...RSA(), 'ca.pem': fixture('ca.pem') } }).code).toBe(0)
    expect(log(box)).toContain('WARNING: ca.pem did not issue appliance.pem\n')
    const [, , both, ca] = installed(box)
    expect(both).not.toContain(fixture('ca.pem'))
    expect(ca).toBe(fixture('ca.pem'))
  })

  test('only warns of an expired certificate, and of one that will be soon', () => {
    const box = sandbox(shell)
    expect(box.run('certs', { inputs: pair(fixture('expired.pem'), fixture('rsa.key')) }).code).toBe(0)
    expect(log(box)).toMatch(/\nWARNING: appliance\.pem is expired: notAfter=\w+ .* GMT\n/)
    expect(box.run('certs', { inputs: pair(made('soon.pem'), made('soon.key')) }).code).toBe(0)
    expect(log(box)).toMatch(/\nWARNING: appliance\.pem expires within 30 days: notAfter=/)
  })

  test.each([
    ['a key of another certificate', () => pair(fixture('rsa.pem'), fixture('rsa2.key')), 'SHA256 hash mismatch'],
    ['a key of another kind', () => pair(fixture('rsa.pem'), fixture('ec.key')), 'SHA256 hash mismatch'],
    ['an encrypted key', () => pair(fixture('rsa.pem'), fixture('rsa_enc.key')), 'Private key is encrypted'],
    [
      'a key with an empty passphrase',
      () => pair(made('leaf.pem'), made('empty-pass.key')),
      'Private key is encrypted',
    ],
    ['a weak key', () => pair(made('weak.pem'), made('weak.key')), 'too weak'],
    ['no certificate', () => pair('garbage\n', fixture('rsa.key')), 'Checking public key'],
    ['an empty certificate', () => pair('', fixture('rsa.key')), 'Validating'],
    [
      'a damaged certificate',
      () => pair(fixture('rsa.pem').replace(/MII../, 'AAAA'), fixture('rsa.key')),
      'Checking public key',
    ],
    ['a cut certificate', () => pair(fixture('rsa.pem').slice(0, 500), fixture('rsa.key')), 'Checking public key'],
    ['a key in place of the certificate', () => pair(fixture('rsa.key'), fixture('rsa.key')), 'Checking public key'],
    ['no key', () => pair(fixture('rsa.pem'), 'garbage\n'), 'Checking private key'],
    ['two keys', () => pair(fixture('rsa.pem'), fixture('rsa.key') + fixture('rsa2.key')), 'Checking private key'],
    [
      'a chain in the wrong order',
      () => pair(made('leaf.pem') + made('root.pem') + made('middle.pem'), made('leaf.key')),
      'was not issued by',
    ],
    [
      'a chain with its root first',
      () => pair(made('middle.pem') + made('leaf.pem'), made('leaf.key')),
      'SHA256 hash mismatch',
    ],
    ['a CA that is no certificate', () => ({ ...RSA(), 'ca.pem': 'garbage' }), 'Checking CA certificate'],
    ['seventeen certificates', () => pair(fixture('rsa.pem').repeat(17), fixture('rsa.key')), 'Checking public key'],
  ])('SEC-27 refuses %s and leaves the old pair', (_, inputs, said) => {
    const box = sandbox(shell)
    writeOld(box)
    const before = installed(box)
    const ended = box.run('certs', { inputs: inputs() })
    expect(ended.status).toMatchObject({ status: 'failed', message: 'Invalid or missing TLS certificate files' })
    expect(installed(box)).toEqual(before)
    expect(status(box)).toBe('failed\n')
    expect(log(box)).toContain(said)
    expect(log(box)).toMatch(/\[N\] Invalid or missing TLS certificate files\n$/)
    expect(existsSync(join(ended.task, 'input/appliance.key'))).toBe(false)
  })

  test('SEC-27 refuses a pair that fails in the handshake', () => {
    const box = sandbox(shell)
    box.program(join(box.fake, 'openssl'), `[ "$1" = s_server ] && exit 1; exec ${OPENSSL} "$@"`)
    const ended = box.run('certs', { inputs: RSA() })
    expect(ended.status.status).toBe('failed')
    expect(log(box)).toMatch(
      /Dry-run TLS certificate: stunnel.conf\nNo TLS connection comes about .*\n\[N\] Invalid or missing/,
    )
    expect(installed(box)).toEqual(nothing)
  })

  test('SEC-27 refuses when another certificate is served than the new one', () => {
    const box = sandbox(shell)
    box.write('other.pem', fixture('ec.pem'))
    box.write('other.key', fixture('ec.key'))
    box.program(
      join(box.fake, 'openssl'),
      `if [ "$1" = s_server ]; then exec ${OPENSSL} s_server -unix try.sock -cert ${box.folder}/other.pem -key ${box.folder}/other.key -naccept 1 -quiet; fi; exec ${OPENSSL} "$@"`,
    )
    expect(box.run('certs', { inputs: RSA() }).status.status).toBe('failed')
    expect(installed(box)).toEqual(nothing)
  })

  test('tells nginx, and no process that only has its number', async () => {
    const box = sandbox(shell)
    const watcher = join(box.folder, 'nginx')
    box.program(watcher, `trap 'echo told >>"${box.folder}/told"; exit' HUP; echo ready; while :; do sleep 0.05; done`)
    const other = join(box.folder, 'innocent')
    box.program(other, `trap 'echo wronged >>"${box.folder}/told"; exit' HUP; echo ready; while :; do sleep 0.05; done`)
    const processes = [watcher, other].map((program) => spawn(program, { stdio: ['ignore', 'pipe', 'ignore'] }))
    try {
      await Promise.all(processes.map((one) => new Promise((resolve) => one.stdout.once('data', resolve))))
      box.write('net/run/nginx.pid', `${processes[0]!.pid}\n`)
      box.write('net/run/stunnel.pid', `${processes[1]!.pid}\n`)
      expect(box.run('certs', { inputs: RSA() }).code).toBe(0)
      await new Promise((resolve) =>
        processes[0]!.exitCode === null ? processes[0]!.once('exit', resolve) : resolve(0),
      )
      expect(box.read('told')).toBe('told\n')
      expect(processes[1]!.exitCode).toBeNull()
    } finally {
      for (const one of processes) one.kill('SIGKILL')
    }
  })

  const table: Faults = {
    kind: 'certs',
    checkpoints: ['certs-started', 'certs-checked', 'certs-tried', 'certs-placed', ...SWAP_STEPS],
    inputs: { ...RSA(), 'ca.pem': fixture('ca.pem') },
    make: () => {
      const box = new Sandbox(shell)
      writeOld(box)
      return box
    },
    look: (box) => installed(box),
  }
  test.both.each(faultsIn(shell, table.checkpoints))('survives %s=%s', (name, fault) => {
    expect(faultRow(table, `${name}=${fault}`)).toEqual([])
  })

  test('brings the old pair back, here and on the disk, when somebody saved the new one of an image in memory', () => {
    const box = sandbox(shell)
    writeOld(box)
    const files = FILES.map((file) => join(box.folder, PKI, file))
    const tool = layMemoryTool(box.net, files)
    const save = () => {
      for (const verb of ['-c', '-r']) execFileSync(join(box.net, 'usr/bin/symlinktool.sh'), [verb, 'sda1'])
    }
    save()
    const before = installed(box)
    const ended = box.run('certs', { inputs: RSA(), fault: 'certs-placed=kill' })
    save()
    expect(box.read(`${PKI}/enterprise.pem`)).toContain('PRIVATE KEY')
    box.recover('certs', ended.task, [], { EDGE_FAULT: 'swap-back=kill' })
    box.recover('certs', ended.task)
    expect(installed(box)).toEqual(before)
    expect(files.slice(0, 3).map((file) => readFileSync(join(tool.disk, 'sda1', file), 'utf8'))).toEqual(
      before.slice(0, 3),
    )
    const left = spawnSync('grep', ['-rl', 'PRIVATE KEY', box.folder], { encoding: 'utf8' })
    expect([left.stdout, existsSync(join(ended.task, 'put-back'))]).toEqual(['', false])
  })

  test('brings no first pair back at the next boot, when somebody saved it before it was given up', () => {
    const box = sandbox(shell)
    const files = FILES.map((file) => join(box.folder, PKI, file))
    const tool = layMemoryTool(box.net, files)
    const ended = box.run('certs', { inputs: RSA(), fault: 'certs-placed=kill' })
    for (const verb of ['-c', '-r']) execFileSync(join(box.net, 'usr/bin/symlinktool.sh'), [verb, 'sda1'])
    expect(box.read(`${PKI}/enterprise.pem`)).toContain('PRIVATE KEY')
    box.recover('certs', ended.task)
    expect(installed(box)).toEqual(nothing)
    tool.boot()
    expect(installed(box)).toEqual(nothing)
  })

  test('says failed, and keeps no key, after a kill', () => {
    const box = sandbox(shell)
    const ended = box.run('certs', { inputs: RSA(), fault: 'certs-placed=kill' })
    expect(status(box)).toBe('running\n')
    box.recover('certs', ended.task)
    expect(status(box)).toBe('failed\n')
    const left = spawnSync('grep', ['-rl', 'PRIVATE KEY', ended.task, box.sysconf, box.root], { encoding: 'utf8' })
    expect([left.status, left.stdout]).toEqual([1, ''])
  })
})
