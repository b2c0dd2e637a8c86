// What is wrong with the options and devices of a request: all of it at once, each with what is allowed and what was found.
import { describe, expect, it } from 'vitest'
import { ApiError } from '../../src/errors.ts'
import { PoolOptions, readPoolOptions } from '../../src/features/pools/options.ts'
import { isFileIn, readVdevs, VdevWords } from '../../src/features/pools/vdevs.ts'
import { checkOptions, optionIssues, optionNames, readOptions } from '../../src/features/zfs/options.ts'
import { check } from '../../src/field-errors.ts'
import { Options } from '../../src/surfaces/controller/datasets.ts'

const dataset = { kind: 'filesystem', name: 'tank/a', when: 'create' } as const
const wrong = (key: string, value: string) => readOptions({ [key]: value }, dataset).errors[0]?.message

describe('options', () => {
  it('are refused all at once, in their order, and the right ones are left out of it', () => {
    const options = { compresion: 'lz4', quota: '10GiB', atime: 'yes', volmode: 'dev', 'edge-admin:x': 'y' }
    const fields = ['options.compresion', 'options.atime', 'options.volmode', 'options.edge-admin:x']
    const { checked, errors } = readOptions(options, dataset)
    expect([checked, errors.map(({ field }) => field)]).toEqual([{ quota: String(10 * 2 ** 30) }, fields])
    const refuse = () => checkOptions(options, 'filesystem', 'tank/a', 'create')
    expect(refuse).toThrow(ApiError)
    expect(refuse).toThrow(expect.objectContaining({ details: { field: 'options.compresion', errors } }))
    // In the schema of a body, beside what is wrong with its other members.
    expect(check(Options.superRefine(optionIssues('filesystem')), options).errors).toEqual(
      errors.map(({ field, message }) => ({ field: field.replace('options.', ''), message })),
    )
    const fixed = { volblocksize: '16K', compression: 'inherit' }
    expect(check(Options.superRefine(optionIssues('volume')), fixed).errors?.map(({ field }) => field)).toEqual([
      'compression',
    ])
    expect(
      check(Options.superRefine(optionIssues('volume', 'update')), fixed).errors?.map(({ field }) => field),
    ).toEqual(['volblocksize'])
    expect(readOptions({ canmount: 'off', casesensitivity: 'mixed' }, { ...dataset, when: 'update' }).errors).toEqual([
      { field: 'options.casesensitivity', message: 'This is chosen when the dataset is made, and stays' },
    ])
  })

  it('are told with what is allowed and what was found', () => {
    expect(wrong('atime', 'yes')).toBe('Not a value of atime: expected on, off, found "yes"')
    expect(wrong('aclinherit', 'x')).toMatch(
      /expected discard, noallow, restricted, passthrough, passthrough-x, found "x"/,
    )
    expect(wrong('compression', 'zip')).toMatch(/^Not a value of compression: expected on, off, lz4, .*, found "zip"$/)
    expect(wrong('recordsize', '1')).toMatch(/expected a power of two from 512 to 16777216, such as 16K, found "1"$/)
    expect(wrong('mountpoint', '/etc/x')).toBe('Expected "none" or a folder below /mnt or /tank, found "/etc/x"')
    expect(wrong('atime', 'on'.repeat(200))).toMatch(/found "(on){20}\.\.\."$/)
    // Whatever it is, there are words for what is allowed.
    for (const key of [...optionNames('filesystem'), ...optionNames('volume')]) {
      const kind = optionNames('filesystem').includes(key) ? 'filesystem' : 'volume'
      const [found] = readOptions({ [key]: '\u00e4' }, { kind, when: 'create' }).errors
      expect([key, found?.message]).toEqual([key, expect.stringMatching(/: expected .+, found "\?"$/)])
    }
  })

  it('that are misspelled are named with the nearest right one', () => {
    expect(wrong('compresion', 'lz4')).toBe('No such option: did you mean "compression"?')
    expect(wrong('sharenfs', 'on')).toBe('No such option')
    const { errors } = readPoolOptions({ asfift: '12', compression: 'lz4', 'fs.compresion': 'lz4', 'fs.atime': 'yes' })
    expect(errors).toEqual([
      { field: 'options.asfift', message: 'No such option: did you mean "ashift"?' },
      { field: 'options.compression', message: 'No such option: did you mean "fs.compression"?' },
      { field: 'options.fs.compresion', message: 'No such option: did you mean "fs.compression"?' },
      { field: 'options.fs.atime', message: 'Not a value of atime: expected on, off, found "yes"' },
    ])
    expect(check(PoolOptions, { ashift: '22', 'fs.atime': 'yes' }).errors).toEqual([
      { field: 'ashift', message: 'Not a value of ashift: expected 0 or a number from 9 to 16, found "22"' },
      { field: 'fs.atime', message: 'Not a value of atime: expected on, off, found "yes"' },
    ])
  })

  it('of the root dataset are mounted below their own pool, once its name is known', () => {
    const options = { 'fs.mountpoint': '/other/x', ashift: '12' }
    expect(readPoolOptions(options)).toEqual({ words: ['-O', 'mountpoint=/other/x', '-o', 'ashift=12'], errors: [] })
    expect(readPoolOptions(options, 'tank').errors.map(({ field }) => field)).toEqual(['options.fs.mountpoint'])
  })

  it('are 64 at most', () => {
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`a:${i}`, 'x']))
    const { 'a:64': _, ...fewer } = many
    expect(readOptions(fewer, dataset).errors).toEqual([])
    expect(readOptions(many, dataset).errors).toEqual([{ field: 'options', message: 'More than 64 options' }])
    expect(readPoolOptions(many).errors[0]).toEqual({ field: 'options', message: 'More than 64 options' })
  })
})

describe('the words of a new pool', () => {
  const none = isFileIn(undefined)

  it('are refused all at once, each at its place', () => {
    const words = ['mirro', '/dev/a', '/dev/a', 'mirror', '/dev/b', 'log', 'cache', 'raidz', '/dev/c', 'b', 'log']
    expect(readVdevs(words, none).errors).toEqual([
      { field: 'vdevs.0', message: expect.stringMatching(/no word of a vdev specification: did you mean "mirror"\?$/) },
      { field: 'vdevs.2', message: 'This device is there twice' },
      { field: 'vdevs.3', message: 'mirror needs at least 2 devices, found 1' },
      { field: 'vdevs.6', message: 'log needs at least one device' },
      { field: 'vdevs.7', message: 'cache takes devices only, no raidz' },
      { field: 'vdevs.9', message: expect.stringMatching(/^Not an absolute path/) },
      { field: 'vdevs.10', message: 'log can be there only once' },
    ])
  })

  it('may be files, of one folder alone', () => {
    expect(readVdevs(['/x/a'], isFileIn('/x'))).toEqual({ devices: ['/x/a'], errors: [] })
    for (const folder of [undefined, '/y', '/']) expect(readVdevs(['/x/a'], isFileIn(folder)).errors).toHaveLength(1)
    // Which folder that is, a schema does not know.
    expect(check(VdevWords, ['/x/a']).errors).toBeUndefined()
    expect(check(VdevWords, Array(513).fill('x')).errors).toEqual([{ field: '', message: 'More than 512 words' }])
    expect(check(VdevWords, []).errors).toHaveLength(1)
    expect(check(VdevWords, ['x', '/x/../a', '-f']).errors?.map(({ field }) => field)).toEqual(['0', '2'])
  })
})
