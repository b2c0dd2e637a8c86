// PEM as people paste it. A certificate and its key may stand in one file, in either order, with a chain between them.
import { describe, expect, it } from 'vitest'
import { certificatesOf, pemBlocks, privateKeysOf } from '../../src/store/pem.ts'

const block = (label: string, body: string) => `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`
const LONG = 'A'.repeat(64)

describe('blocks', () => {
  it('are found in any text, in order, in their plain form', () => {
    const text = `remark\r\n-----BEGIN CERTIFICATE-----\r\n  ${LONG} \r\nBB\r\n-----END CERTIFICATE----------BEGIN EC PRIVATE KEY-----\rQ Q\r-----END EC PRIVATE KEY-----\n`
    expect(pemBlocks(text)).toEqual([
      { label: 'CERTIFICATE', text: block('CERTIFICATE', `${LONG}\nBB`) },
      { label: 'EC PRIVATE KEY', text: block('EC PRIVATE KEY', 'QQ') },
    ])
    expect(pemBlocks(block('X', `${LONG}${LONG}C`))[0]?.text).toBe(block('X', `${LONG}\n${LONG}\nC`))
    expect(pemBlocks(block('X', ''))[0]?.text).toBe(block('X', ''))
  })

  it('keep the headers of an encrypted key as lines', () => {
    const body = 'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nQQ'
    expect(pemBlocks(block('RSA PRIVATE KEY', ` ${body.replaceAll('\n', ' \r\n')}\n`))[0]?.text).toBe(
      block('RSA PRIVATE KEY', body),
    )
  })

  it('are none where one does not end, or ends as another', () => {
    expect(pemBlocks('-----BEGIN A-----\nQQ\n')).toEqual([])
    expect(pemBlocks('-----BEGIN A-----\nQQ\n-----END B-----\n')).toEqual([])
    // What is begun again is whole from there on.
    const found = pemBlocks(`-----BEGIN A-----\nQQ\n${block('A', 'RR')}`)
    expect(found.map(({ text }) => text)).toEqual([block('A', 'RR')])
  })
})

it('certificates and private keys are told apart by their labels', () => {
  const labels = [
    'CERTIFICATE',
    'X509 CERTIFICATE',
    'TRUSTED CERTIFICATE',
    'PRIVATE KEY',
    'EC PRIVATE KEY',
    'PUBLIC KEY',
  ]
  const text = labels.map((label, i) => block(label, 'Q'.repeat(i + 1))).join('')
  const sizes = (found: string[]) => found.map((one) => /^Q+$/m.exec(one)?.[0].length)
  expect([sizes(certificatesOf(text)), sizes(privateKeysOf(text))]).toEqual([
    [1, 2],
    [4, 5],
  ])
})
