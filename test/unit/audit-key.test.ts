// The signing key of the audit log, and the entries that commands leave in its inbox. A key is never replaced: older signatures would no longer verify.
import { generateKeyPairSync } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { EntryDropped } from '../../src/store/audit/chain.ts'
import { Inbox, inboxOf, type Left, recorded } from '../../src/store/audit/inbox.ts'
import { checkpointBody, fingerprint, publicKey, readCheckpoint, signingKey } from '../../src/store/audit/key.ts'
import { ORIGIN } from '../../src/store/audit/record.ts'

let folder: string
const at = (name: string) => join(folder, name)
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-audit-key-'))
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true, force: true })
})

describe('the key', () => {
  it('is made once, and its public half is there as it should be', () => {
    const first = signingKey(at('key'), at('pub'))
    expect([first.fresh, statSync(at('key')).mode & 0o777, statSync(at('pub')).mode & 0o777]).toEqual([
      ...[true, 0o600, 0o644],
    ])
    const [key, pub, made] = [readFileSync(at('key'), 'utf8'), readFileSync(at('pub'), 'utf8'), statSync(at('pub')).ino]
    const second = signingKey(at('key'), at('pub'))
    expect([second.fresh, fingerprint(second.public)]).toEqual([false, fingerprint(first.public)])
    expect([readFileSync(at('key'), 'utf8'), statSync(at('pub')).ino]).toEqual([key, made])
    expect(fingerprint(publicKey(pub))).toMatch(/^[0-9a-f]{64}$/)
    for (const other of ['another', undefined]) {
      if (other === undefined) rmSync(at('pub'))
      else writeFileSync(at('pub'), other)
      signingKey(at('key'), at('pub'))
      expect(readFileSync(at('pub'), 'utf8')).toBe(pub)
    }
  })

  it('of a type other than Ed25519 is refused', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    writeFileSync(at('key'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
    expect(() => signingKey(at('key'), at('pub'))).toThrow(`${at('key')}: not an Ed25519 private key (PEM)`)
    expect(existsSync(at('pub'))).toBe(false)
  })

  it('has signed a checkpoint only as it would write it', () => {
    const { private: own, public: pub } = signingKey(at('key'), at('pub'))
    const other = generateKeyPairSync('ed25519').publicKey
    const checkpoint = { seq: 3, time: '2026-01-01T00:00:00.000Z', checkpoint: { previous: ORIGIN, first: 1 } }
    const body = checkpointBody(own, checkpoint)
    expect(readCheckpoint(pub, body)).toMatchObject(checkpoint)
    expect(readCheckpoint(other, body)).toBeUndefined()
    for (const changed of [
      body.replace('"first":1', '"first":2'),
      body.replace('"seq":3', '"seq":4'),
      body.replace('{', '{"more":1,'),
      body.replace('"seq":3', '"seq": 3'),
      JSON.stringify({ seq: 1, time: 'x', actor: 'a', action: 'a', resource: '', result: 'success' }),
      '{}',
    ])
      expect([changed, readCheckpoint(pub, changed)]).toEqual([changed, undefined])
  })
})

describe('what a command left', () => {
  const entry = { action: 'users.reset', resource: 'x', by: 'a test' }
  const names = () => (existsSync(inboxOf(folder)) ? readdirSync(inboxOf(folder)).sort() : [])
  const warned: string[] = []
  const entered: [Left, boolean][] = []
  const inbox = (saved = async () => {}, patience?: number) =>
    new Inbox(
      [folder],
      {
        enter: (left, unsure) => void entered.push([left, unsure]),
        saved,
        warn: (text) => void warned.push(text),
      },
      patience,
    )
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  beforeEach(() => {
    warned.length = 0
    entered.length = 0
  })

  it('is its intent before, and that it is done after; no more where nothing changed', () => {
    const result = recorded(folder, entry, () => {
      expect(names()).toEqual([expect.stringMatching(/^\d{8}T\d{9}Z-[0-9a-f]{8}\.begun$/)])
      expect(JSON.parse(readFileSync(join(inboxOf(folder), names()[0] ?? ''), 'utf8'))).toMatchObject(entry)
      return 7
    })
    expect([result, names()]).toEqual([7, [expect.stringMatching(/\.json$/)]])
    const [name = ''] = names()
    expect(statSync(inboxOf(folder)).mode & 0o777).toBe(0o700)
    expect(statSync(join(inboxOf(folder), name)).mode & 0o777).toBe(0o600)
    rmSync(join(inboxOf(folder), name))
    writeFileSync(at('file'), 'x')
    const failing = (change: () => void) => () =>
      recorded(
        folder,
        entry,
        () => {
          change()
          throw new Error('no')
        },
        [at('none'), at('file')],
      )
    expect(failing(() => {})).toThrow('no')
    expect(names()).toEqual([])
    expect(failing(() => utimesSync(at('file'), 1, 1))).toThrow('no')
    expect(names()).toHaveLength(1)
  })

  it('is entered once and taken away, the oldest first', async () => {
    recorded(folder, { ...entry, resource: 'one' }, () => {})
    const [name = ''] = names()
    writeFileSync(
      join(inboxOf(folder), '20000101T000000000Z-00000000.json'),
      readFileSync(join(inboxOf(folder), name), 'utf8').replace('one', 'older'),
    )
    const one = inbox()
    one.look()
    one.look()
    expect(entered.map(([left, unsure]) => [left.resource, unsure])).toEqual([
      ['older', false],
      ['one', false],
    ])
    await turn()
    expect([names(), warned]).toEqual([[], []])
  })

  it('and did not end is unsure after a minute, or if the clock says that it is yet to come', () => {
    recorded(folder, entry, () => {
      const [name = ''] = names()
      const file = join(inboxOf(folder), name)
      const now = Date.now()
      for (const [age, taken] of [
        [0, false],
        [59_000, false],
        [61_000, true],
        [-5000, true],
      ] as const) {
        const time = (now - age) / 1000
        utimesSync(file, time, time)
        vi.spyOn(Date, 'now').mockReturnValue(now)
        entered.length = 0
        inbox(() => new Promise(() => {})).look()
        vi.restoreAllMocks()
        expect([age, entered.length > 0, entered[0]?.[1]]).toEqual([age, taken, taken ? true : undefined])
      }
    })
  })

  it('is tried again after a while where the log had no room, and only at the next start where it may be in it', async () => {
    recorded(folder, entry, () => {})
    const clock = vi.spyOn(performance, 'now')
    clock.mockReturnValue(1000)
    const full = inbox(() => Promise.reject(new EntryDropped(new Error('full'))), 500)
    const look = async (now: number) => {
      clock.mockReturnValue(now)
      full.look()
      await turn()
      return entered.length
    }
    expect([await look(1000), await look(1499), await look(1500), await look(1999), await look(2000)]).toEqual([
      ...[1, 1, 2, 2, 3],
    ])
    expect(warned).toEqual(['an entry that a command left is entered again later'])
    entered.length = 0
    const unsafe = inbox(() => Promise.reject(new Error('i/o')), 0)
    for (let i = 0; i < 3; i++) {
      unsafe.look()
      await turn()
    }
    expect(entered).toHaveLength(1)
    expect(warned.at(-1)).toBe('an entry that a command left is entered again at the next start')
    expect(names()).toHaveLength(1)
  })

  it('is passed over by another name, and dropped where it is damaged or none', () => {
    mkdirSync(inboxOf(folder), { recursive: true })
    const put = (name: string, text: string) => writeFileSync(join(inboxOf(folder), name), text)
    const whole = { ...entry, at: '2026-01-01T00:00:00.000Z' }
    put('x20000101T000000000Z-00000000.json', JSON.stringify(whole))
    put('20000101T000000000Z-00000000.jsonx', JSON.stringify(whole))
    const bad = [{ ...whole, at: 'x' }, { ...whole, more: 1 }, { ...whole, action: 'x'.repeat(65) }, [], 'x']
    for (const [i, value] of bad.entries()) put(`20000101T000000000Z-0000000${i}.json`, JSON.stringify(value))
    inbox().look()
    expect([entered, warned.length, names().length]).toEqual([[], bad.length, 2])
    rmSync(inboxOf(folder), { recursive: true })
    inbox().look()
    writeFileSync(inboxOf(folder), '')
    inbox().look()
    expect(warned).toHaveLength(bad.length)
  })
})
