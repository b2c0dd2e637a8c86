// The certificate of a first start. The trap: it is made of random bytes, and a form that OpenSSL cannot read came once in 512 starts.
import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { makeSelfSigned } from '../../src/http/tls.ts'

describe('the certificate that we make', () => {
  it.each([
    ['zeros', Buffer.alloc(16)],
    ['a zero and then a small byte', Buffer.from('00017fffffffffffffffffffffffffff', 'hex')],
    ['a zero and then a big byte', Buffer.from('00ff7fffffffffffffffffffffffffff', 'hex')],
    ['ones', Buffer.alloc(16, 0xff)],
  ])('can be served, with a positive serial number, whatever was random: %s', async (_name, random) => {
    const { cert, key } = await makeSelfSigned(random)
    createSecureContext({ cert, key })
    expect(new X509Certificate(cert).serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
  })
})
