// Sizes as people write them: one rule, to the byte.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Size } from '../../src/features/zfs/names.ts'
import { checkOptions } from '../../src/features/zfs/options.ts'
import { parseSize } from '../../src/features/zfs/sizes.ts'

describe('a size', () => {
  it.each([
    ['16k', 16_384],
    ['16K', 16_384],
    ['16KB', 16_384],
    ['16kib', 16_384],
    ['128K', 131_072],
    ['10g', 10 * 1024 ** 3],
    ['10Gi', 10 * 1024 ** 3],
    ['10GiB', 10 * 1024 ** 3],
    ['10gib', 10 * 1024 ** 3],
    ['100 GB', 100 * 1024 ** 3],
    ['1.5T', 1.5 * 1024 ** 4],
    ['0.5k', 512],
    ['1.25Mi', 1_310_720],
    // Dropped, as ZFS does.
    ['1.1T', 1_209_462_790_553],
    ['2.73TiB', 3_001_666_743_828],
    ['1.3K', 1331],
    ['0.0001K', 0],
    ['4096', 4096],
    ['4096B', 4096],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('%s are %i bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes))

  it.each([
    ...['9007199254740992', '8P', '8192T', '1.5', '1.5B', '.5G', '5.G', '1,5G', '1.5.5G', '10  G'],
    ...['10GiBs', '10GG', '10Gb/s', '10Bi', 'K', 'i', 'B', '-1G', '+1G', '1e3', '0x10', '١G', '10Ｇ', '10G\n', '\t1G'],
  ])('%j is none', (text) => expect(parseSize(text)).toBeUndefined())

  it('is exact, whatever the fraction', () => {
    const fraction = fc.integer({ min: 0, max: 1023 })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), fraction, (whole, part) => {
        // What is no whole number of 1024ths has no end, or more bytes than one.
        const text = `${whole}.${String(BigInt(part) * 9_765_625n).padStart(10, '0')}M`
        expect(parseSize(text)).toBe((whole * 1024 + part) * 1024)
      }),
    )
  })

  it('that is refused names what is allowed', () => {
    expect(Size.safeParse('ten').error?.issues[0]?.message).toContain('10G, 16k, 1.5TiB')
    for (const none of ['0', '0.0001K']) expect(Size.safeParse(none).success).toBe(false)
  })
})

describe('an option that is a size', () => {
  const check = (key: string, value: string, kind: 'filesystem' | 'volume' = 'filesystem') =>
    checkOptions({ [key]: value }, kind, 'tank/x', 'create')[key]
  it.each([
    ['quota', '10Gi', '10737418240'],
    ['refquota', '100 GB', '107374182400'],
    ['reservation', '1.5m', '1.5m'],
    ['quota', 'none', 'none'],
    ['refreservation', 'NONE', 'none'],
    ['recordsize', '16k', '16k'],
    ['recordsize', '16Ki', '16384'],
    ['recordsize', '1MiB', '1048576'],
    ['recordsize', '128kib', '131072'],
    ['recordsize', '131072', '131072'],
    ['special_small_blocks', '0', '0'],
    ['special_small_blocks', '64kb', '64kb'],
    ['dnodesize', '1K', '1k'],
    ['dnodesize', '16384', '16k'],
    ['dnodesize', 'Auto', 'auto'],
  ])('%s=%s reaches ZFS as %s', (key, value, sent) => expect(check(key, value)).toBe(sent))
  it('of a volume, too', () => {
    expect(check('volblocksize', '16Ki', 'volume')).toBe('16384')
    expect(check('refreservation', 'auto', 'volume')).toBe('auto')
  })

  it.each([
    ['recordsize', '256'],
    ['recordsize', '32M'],
    ['recordsize', 'none'],
    ['dnodesize', '32k'],
    ['dnodesize', '512'],
    ['quota', '1.3'],
    ['quota', 'lots'],
    ['quota', 'auto'],
    ['special_small_blocks', '32M'],
    ['dnodesize', '3k'],
  ])('%s=%s is refused, and told what is allowed', (key, value) => {
    let error: unknown
    try {
      check(key, value)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({
      kind: 'invalid',
      details: { field: `options.${key}` },
      message: expect.stringMatching(new RegExp(`^Not a value of ${key}: expected .*(power of two|powers of 1024)`)),
    })
  })
})
