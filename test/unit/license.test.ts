// Our own licenses. A license is refused with a fixed text, so each test names the text and plants something that must
// not be in it.
import { generateKeyPairSync, sign } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ApiError } from '../../src/errors.ts'
import { expiryTime } from '../../src/features/license/expiry.ts'
import { MAX_LICENSE_BYTES, readLicense, signLicense } from '../../src/features/license/license.ts'
import { canonicalJson } from '../../src/store/canonical-json.ts'

const pem = (pair: ReturnType<typeof generateKeyPairSync>) => ({
  pub: pair.publicKey.export({ type: 'spki', format: 'pem' }) as string,
  priv: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  key: pair.privateKey,
})
const vendor = pem(generateKeyPairSync('ed25519'))
const stranger = pem(generateKeyPairSync('ed25519'))
const NOW = Date.UTC(2030, 0, 1)
const LICENSE = {
  app: 'enterprise',
  users: 20,
  expires: '19 January 2038',
  name: 'Ünïcode GmbH',
  contact: 'cto@enterprise',
}

/** Signed by the vendor, whatever it says. */
const signed = (license: unknown, key = vendor.key) =>
  JSON.stringify({ license, signature: sign(null, Buffer.from(canonicalJson(license)), key).toString('base64') })

function refusal(text: string, key = vendor.pub): ApiError {
  try {
    readLicense(text, key, NOW)
  } catch (error) {
    expect(error).toBeInstanceOf(ApiError)
    expect((error as ApiError).message).not.toMatch(/canary/i)
    expect((error as ApiError).message).toMatch(/^[ -~]+$/)
    return error as ApiError
  }
  throw new Error('was accepted')
}

describe('a license', () => {
  it('comes back as it was signed, known fields first', () => {
    const text = signLicense(JSON.stringify({ extra: true, ...LICENSE, seats: 1.5, note: 'x' }), vendor.priv)
    expect(Object.entries(readLicense(text, vendor.pub, NOW))).toEqual([
      ...Object.entries(LICENSE),
      ['extra', true],
      ['seats', 1.5],
      ['note', 'x'],
    ])
  })

  it('is taken however its file is spaced and ordered, since the value is signed', () => {
    const { license, signature } = JSON.parse(signLicense(JSON.stringify(LICENSE), vendor.priv))
    const turned = Object.fromEntries(Object.entries(license).reverse())
    const text = `\n ${JSON.stringify({ signature, license: turned }, null, 7)}\r\n`
    expect(readLicense(text, vendor.pub, NOW)).toEqual(LICENSE)
  })

  it.each([
    ['nothing', ''],
    ['text', 'garbage canary'],
    ['half a file', signed(LICENSE).slice(0, 50)],
  ])('is refused as no JSON: %s', (_name, text) => {
    expect(refusal(text)).toMatchObject({ kind: 'invalid', message: 'The license file is not JSON' })
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['a list', [LICENSE]],
    ['the license alone', LICENSE],
    ['no signature', { license: LICENSE }],
    ['a third member', { ...JSON.parse(signed(LICENSE)), canary: 1 }],
    ['a short signature', { license: LICENSE, signature: 'AAAA' }],
    ['a signature that is no base64', { license: LICENSE, signature: '!'.repeat(88) }],
    ['a list as the license', { ...JSON.parse(signed(LICENSE)), license: [] }],
  ])('is refused for its shape: %s', (_name, value) => {
    expect(refusal(JSON.stringify(value))).toMatchObject({
      kind: 'invalid',
      message: 'The license file has no license and signature',
    })
  })

  it('is refused when a stranger signed it, or one character changed', () => {
    const message = 'The license signature is invalid'
    expect(refusal(signed(LICENSE, stranger.key))).toMatchObject({ kind: 'invalid', message })
    expect(refusal(signed(LICENSE).replace('"users":20', '"users":21'))).toMatchObject({ message })
    expect(refusal(signed(LICENSE).replace('"users":20', '"users":20,"more":1'))).toMatchObject({ message })
    expect(refusal(signed(LICENSE).replace('enterprise', '\\ud800'))).toMatchObject({ message })
  })

  it.each<[string, unknown, string]>([
    ['a missing field', { ...LICENSE, app: undefined }, 'app'],
    ['no users', { ...LICENSE, users: 0 }, 'users'],
    ['half a user', { ...LICENSE, users: 1.5 }, 'users'],
    ['users in words', { ...LICENSE, users: 'canary' }, 'users'],
    ['a day that is none', { ...LICENSE, expires: '31 February 2038' }, 'expires'],
    ['a date in other words', { ...LICENSE, expires: 'canary' }, 'expires'],
    ['an endless name', { ...LICENSE, name: 'canary'.repeat(100) }, 'name'],
  ])('is refused, though signed, for %s', (_name, license, field) => {
    const message = `The license has a missing or wrong field: ${field}`
    expect(refusal(signed(JSON.parse(JSON.stringify(license))))).toMatchObject({ kind: 'invalid', message })
  })

  it('has only texts, numbers and booleans beside the known fields', () => {
    for (const canary of [null, [], { canary: 1 }]) {
      expect(refusal(signed({ ...LICENSE, canary }))).toMatchObject({ message: 'The license has a wrong field' })
    }
  })

  it('is over after its last day, in UTC', () => {
    const text = signed({ ...LICENSE, expires: '2030-01-01' })
    expect(readLicense(text, vendor.pub, Date.UTC(2030, 0, 2) - 1)).toMatchObject({ expires: '2030-01-01' })
    expect(() => readLicense(text, vendor.pub, Date.UTC(2030, 0, 2))).toThrow('The license has expired')
    expect(refusal(signed({ ...LICENSE, expires: '31 December 2029' }))).toMatchObject({ kind: 'invalid' })
  })

  it('is at most 64 KiB', () => {
    const text = signed(LICENSE)
    const padded = text + ' '.repeat(MAX_LICENSE_BYTES - Buffer.byteLength(text))
    expect(readLicense(padded, vendor.pub, NOW)).toEqual(LICENSE)
    expect(refusal(`${padded} `)).toMatchObject({ kind: 'invalid', message: 'The license file is too large' })
    expect(() => signLicense(JSON.stringify({ ...LICENSE, x: 'x'.repeat(70_000) }), vendor.priv)).toThrow('too large')
  })

  it('SEC-39: __proto__ and constructor are inert, and covered by the signature', () => {
    const license = JSON.parse(JSON.stringify(LICENSE).replace('{', '{"__proto__":"canary","constructor":"x",'))
    expect(Object.keys(license)).toContain('__proto__')
    const found = readLicense(signed(license), vendor.pub, NOW)
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype)
    expect(found).toMatchObject(LICENSE)
    expect(({} as Record<string, unknown>)['canary']).toBeUndefined()
    expect(refusal(signed(license).replace('"__proto__":"canary",', ''))).toMatchObject({ kind: 'invalid' })
    expect(refusal(signed(JSON.parse('{"__proto__":{"app":"x","users":1}}')))).toMatchObject({ kind: 'invalid' })
  })

  it('cannot be read with a key of another kind: that is our fault, not the caller’s', () => {
    const rsa = pem(generateKeyPairSync('rsa', { modulusLength: 2048 }))
    expect(refusal(signed(LICENSE), rsa.pub)).toMatchObject({ kind: 'internal' })
    expect(refusal(signed(LICENSE), 'canary')).toMatchObject({ kind: 'internal' })
  })
})

describe('canonical JSON', () => {
  it('is sorted and tight', () => {
    expect(canonicalJson({ b: [1, { d: null, c: true }], a: 'é"\n', '': 1e21 })).toBe(
      '{"":1e+21,"a":"é\\"\\n","b":[1,{"c":true,"d":null}]}',
    )
  })

  const value = fc.jsonValue({ depthSize: 'small' })

  it('is JSON of the same value', () => {
    fc.assert(
      fc.property(value, (v) => {
        expect(JSON.parse(canonicalJson(v))).toEqual(JSON.parse(JSON.stringify(v)))
      }),
    )
  })

  it('does not depend on the order or the spacing of what was parsed', () => {
    const turn = (v: unknown): unknown => {
      if (Array.isArray(v)) return v.map(turn)
      if (typeof v !== 'object' || v === null) return v
      return Object.fromEntries(
        Object.entries(v)
          .reverse()
          .map(([k, inner]) => [k, turn(inner)]),
      )
    }
    fc.assert(
      fc.property(value, (v) => {
        const other = JSON.parse(JSON.stringify(turn(v), null, 3))
        expect(canonicalJson(other)).toBe(canonicalJson(JSON.parse(JSON.stringify(v))))
      }),
    )
  })

  it('tells different values apart', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        const same = canonicalJson(a) === canonicalJson(b)
        expect(same).toBe(JSON.stringify(sortKeys(a)) === JSON.stringify(sortKeys(b)))
      }),
    )
  })

  it.each([
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [undefined],
    ['\ud800'],
    [{ '\udc00': 1 }],
    [[undefined]],
    [() => 1],
  ])('refuses what JSON cannot hold: %j', (v) => {
    expect(() => canonicalJson(v)).toThrow(TypeError)
  })
})

function sortKeys(v: unknown): unknown {
  if (Array.isArray(v)) return v.map(sortKeys)
  if (typeof v !== 'object' || v === null) return v
  return Object.entries(v)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([k, inner]) => [`key ${k}`, sortKeys(inner)])
    .concat('end of object')
}

describe('the last day', () => {
  it.each([
    ['2038-01-19', Date.UTC(2038, 0, 20)],
    ['19 January 2038', Date.UTC(2038, 0, 20)],
    ['1 March 2032', Date.UTC(2032, 2, 2)],
    ['2032-02-29', Date.UTC(2032, 2, 1)],
    ['31 December 9999', Date.UTC(10_000, 0, 1)],
  ])('is understood: %s', (text, time) => expect(expiryTime(text)).toBe(time))

  it.each([
    '',
    '2038-1-19',
    '2038-13-01',
    '2031-02-29',
    '0038-01-19',
    '32 May 2030',
    '1 may 2030',
    '1 Mai 2030',
    '2038-01-19T00:00',
  ])('is not guessed: %s', (text) => expect(expiryTime(text)).toBeUndefined())
})
