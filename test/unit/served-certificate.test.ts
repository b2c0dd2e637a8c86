// What a certificate says. Its names may hold what separates names.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeCertificate } from '../../src/features/certs/served.ts'
import { makeSelfSigned } from '../../src/http/server/self-made.ts'
import { temporaryFolder } from '../api/appliance.ts'

function openssl(names: string[], key: string[]): string {
  const folder = temporaryFolder()
  const [out, config] = [join(folder, 'cert.pem'), join(folder, 'config')]
  // In a section of its own a value is taken whole, whatever is in it.
  const subject = '[dn]\nO = "Example, Inc."\nCN = box.example\n'
  const head = '[req]\nprompt = no\ndistinguished_name = dn\nx509_extensions = ext\n[ext]\nsubjectAltName = @alt\n'
  writeFileSync(config, `${head}${subject}[alt]\n${names.join('\n')}\n`)
  const args = ['req', '-x509', '-nodes', '-config', config, '-keyout', join(folder, 'key.pem'), '-out', out]
  const { status, stderr } = spawnSync('openssl', [...args, '-days', '10', ...key])
  if (status !== 0) throw new Error(String(stderr))
  return readFileSync(out, 'utf8')
}
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']

it('is told in full', () => {
  const pem = openssl(['DNS.1 = box.example', 'DNS.2 = *.box.example', 'IP.1 = 10.0.0.1', 'IP.2 = fe80::1'], EC)
  const told = describeCertificate(pem, Date.now() + 86_400_000)
  expect(told).toMatchObject({
    subject: 'O=Example\\, Inc., CN=box.example',
    names: ['box.example', '*.box.example', '10.0.0.1', 'FE80:0:0:0:0:0:0:1'],
    days_left: 8,
    self_signed: true,
    key: 'ECDSA prime256v1',
  })
  expect(told.issuer).toBe(told.subject)
  expect(Date.parse(told.not_after) - Date.parse(told.not_before)).toBe(10 * 86_400_000)
  expect(told.fingerprint256).toMatch(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/)
})

it('takes a name for what it is, whatever is in it', () => {
  const evil = openssl(['DNS.1 = "a.example, DNS:evil.example"', 'DNS.2 = b.example'], ['-newkey', 'rsa:2048'])
  expect(describeCertificate(evil)).toMatchObject({
    names: ['a.example, DNS:evil.example', 'b.example'],
    key: 'RSA 2048',
  })
})

it('knows our own for what it is', async () => {
  const { cert } = await makeSelfSigned({
    names: { hosts: ['nas', 'localhost'], addresses: ['127.0.0.1'] },
    now: Date.now(),
  })
  expect(describeCertificate(cert)).toMatchObject({ self_signed: true, names: expect.arrayContaining(['localhost']) })
})
