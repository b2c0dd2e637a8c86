// Password hashes. The queue is shown with one place, so that the order of what waits is the order of what came.
import { scryptSync } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import { hashPasswordNow, Passwords } from '../../src/auth/password.ts'

describe('a password hash', () => {
  it('is scrypt with its parameters in the text, and a salt of its own', async () => {
    const passwords = new Passwords()
    const [one, two] = await Promise.all([passwords.hash('correct horse 1'), passwords.hash('correct horse 1')])
    expect(one).not.toBe(two)
    for (const stored of [one, two, hashPasswordNow('correct horse 1')]) {
      const [, name, n, r, p, salt, hash] =
        /^(scrypt)\$(\d+)\$(\d+)\$(\d+)\$([\w-]{22})\$([\w-]{43})$/.exec(stored) ?? []
      expect([name, n, r, p]).toEqual(['scrypt', '32768', '8', '1'])
      const options = { N: 32768, r: 8, p: 1, maxmem: 2 ** 26 }
      const again = scryptSync('correct horse 1', Buffer.from(salt ?? '', 'base64url'), 32, options)
      expect(again.toString('base64url')).toBe(hash)
    }
  })

  it('takes a quarter of the memory, and longer, where the allocator gives freed memory back', async () => {
    vi.stubEnv('MALLOC_MMAP_THRESHOLD_', '65536')
    vi.resetModules()
    const { hashPasswordNow: hash } = await import('../../src/auth/password.ts')
    vi.unstubAllEnvs()
    expect(hash('correct horse 1')).toMatch(/^scrypt\$8192\$8\$5\$/)
  })

  it('is checked with the parameters that it names, whatever is usual today', async () => {
    const salt = Buffer.alloc(16, 7)
    const hash = scryptSync('older 1', salt, 32, { N: 1024, r: 4, p: 2 })
    const stored = `scrypt$1024$4$2$${salt.toString('base64url')}$${hash.toString('base64url')}`
    expect(await new Passwords().verify('older 1', stored)).toBe(true)
    expect(await new Passwords().verify('older 2', stored)).toBe(false)
    // What version 0.1.0 kept took 32 MiB.
    const larger = scryptSync('older 3', salt, 32, { N: 32768, r: 8, p: 1, maxmem: 2 ** 26 })
    const kept = `scrypt$32768$8$1$${salt.toString('base64url')}$${larger.toString('base64url')}`
    expect(await new Passwords().verify('older 3', kept)).toBe(true)
  })

  it('fits one password only, and nobody’s fits none', async () => {
    const passwords = new Passwords()
    const stored = hashPasswordNow('right 123')
    const answers = await Promise.all(
      ['right 123', 'right 124', 'Right 123', 'right 123\0', 'right 12', ''].map((word) =>
        passwords.verify(word, stored),
      ),
    )
    expect(answers).toEqual([true, false, false, false, false, false])
    expect(await passwords.verify('right 123', undefined)).toBe(false)
  })

  it('does not fit with zeros after it, which scrypt by itself would not see', async () => {
    const stored = hashPasswordNow('right 123')
    const [, , , , salt = '', hash] = stored.split('$')
    const options = { N: 32768, r: 8, p: 1, maxmem: 2 ** 26 }
    const same = scryptSync('right 123\0\0', Buffer.from(salt, 'base64url'), 32, options)
    expect(same.toString('base64url')).toBe(hash)
    expect(await new Passwords().verify('right 123\0\0', stored)).toBe(false)
  })

  it('SEC-09 takes as much work for an account that does not exist', async () => {
    const passwords = new Passwords(1)
    const stored = hashPasswordNow('right 123')
    const fastest = async (hash: string | undefined) => {
      let best = Number.POSITIVE_INFINITY
      for (let i = 0; i < 4; i++) {
        // Time of the processor, not of the clock: how busy the machine is must not matter.
        const before = process.cpuUsage()
        await passwords.verify('wrong 123', hash)
        const { user, system } = process.cpuUsage(before)
        best = Math.min(best, user + system)
      }
      return best
    }
    const [known, unknown] = [await fastest(stored), await fastest(undefined)]
    expect(unknown).toBeGreaterThan(known / 2)
    expect(unknown).toBeLessThan(known * 2)
  })

  it('that is damaged is an error, not a wrong password', async () => {
    await expect(new Passwords().verify('x', 'scrypt$')).rejects.toThrow('not one')
  })
})

describe('the queue of hashes', () => {
  it('has so many places, and asks again when a place is free', async () => {
    const passwords = new Passwords(2)
    const stored = hashPasswordNow('right 123')
    const asked: number[] = []
    let refuse = false
    const all = Array.from({ length: 8 }, (_, i) =>
      passwords
        .verify('wrong 123', stored, () => {
          asked.push(i)
          if (refuse) throw new Error('no more')
        })
        .catch((error: Error) => error.message),
    )
    expect(asked).toEqual([0, 1])
    // Whoever waits hears of it before any work is done.
    refuse = true
    expect(await Promise.all(all)).toEqual([false, false, ...Array(6).fill('no more')])
    expect(asked).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(await passwords.verify('right 123', stored)).toBe(true)
  })

  /** Hashes that last until they are let go. */
  function held(places = 1) {
    const under: (() => void)[] = []
    const done: string[] = []
    const work = (password: string) =>
      new Promise<Buffer>((resolve) => {
        under.push(() => {
          done.push(password)
          resolve(Buffer.alloc(32))
        })
      })
    const passwords = new Passwords(places, work)
    const ask = (password: string, address: string, known = false) =>
      passwords
        .verify(password, undefined, () => {}, { address, known })
        .then(String, (error: Error & { kind?: string }) => error.kind ?? error.message)
    const finish = async (most = Number.POSITIVE_INFINITY) => {
      for (let i = 0; i < most && under.length > 0; i++) {
        under.shift()!()
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    return { ask, finish, done }
  }

  it('has an end for strangers: the one that waits and brings no address in gets no place', async () => {
    const { ask, finish } = held()
    const answers = Array.from({ length: 130 }, (_, i) => ask('x', `10.1.${i}.1`))
    await finish()
    const all = await Promise.all(answers)
    expect(all.filter((answer) => answer === 'unavailable')).toEqual(['unavailable'])
    expect(all.at(-1)).toBe('unavailable')
  })

  it('keeps places for addresses that proved themselves, and serves every second of them first', async () => {
    const { ask, finish, done } = held()
    const flood = Array.from({ length: 160 }, (_, i) => ask(`flood ${i}`, `10.1.${i}.1`))
    const mine = ask('mine', '10.1.0.1', true)
    await finish(2)
    expect(await mine).toBe('false')
    expect(done).toEqual(['flood 0', 'mine'])
    // And many of them do not keep strangers waiting.
    const more = Array.from({ length: 80 }, (_, i) => ask(`known ${i}`, `10.2.${i}.1`, true))
    await finish(8)
    expect(done.slice(2).filter((one) => one.startsWith('flood'))).toHaveLength(4)
    await finish()
    expect((await Promise.all(more)).filter((answer) => answer === 'unavailable')).toHaveLength(16)
    await Promise.all(flood)
  })

  it('is fair between networks and between addresses: a flood does not keep a stranger out either', async () => {
    const { ask, finish, done } = held()
    const flood = Array.from({ length: 160 }, (_, i) => ask(`flood ${i}`, `10.1.${i}.1`))
    const elsewhere = ask('elsewhere', '10.9.0.1')
    await finish(3)
    expect(await elsewhere).toBe('false')
    expect(done.indexOf('elsewhere')).toBeLessThanOrEqual(2)
    // One address with many connections has one turn where another has one.
    const many = Array.from({ length: 20 }, (_, i) => ask(`many ${i}`, '10.7.0.1'))
    const neighbor = ask('neighbor', '10.7.0.2')
    await finish(6)
    expect(await neighbor).toBe('false')
    await finish()
    await Promise.all([...flood, ...many])
  })
})

describe('a password with accents', () => {
  const [composed, apart] = ['Gr\u00fcn-tee-1', 'Gru\u0308n-tee-1']
  const sum = async (password: string) => Buffer.alloc(32, password)

  it('is the same in both Unicode forms, whichever it was set in', async () => {
    const passwords = new Passwords()
    for (const set of [composed, apart]) {
      const stored = await passwords.hash(set)
      for (const typed of [composed, apart])
        expect([set, typed, await passwords.verify(typed, stored)]).toEqual([set, typed, true])
      expect(await passwords.verify('Grun-tee-1', stored)).toBe(false)
    }
    expect(await passwords.verify('Gr\u00fcn tee 1', await passwords.hash('Gr\u00fcn\u00a0tee\u30001'))).toBe(true)
  })

  it('opens with a hash of an earlier version, which was made of what was typed', async () => {
    const salt = Buffer.alloc(16, 3)
    for (const set of [composed, apart]) {
      const hash = scryptSync(set, salt, 32, { N: 1024, r: 8, p: 1 })
      const stored = `scrypt$1024$8$1$${salt.toString('base64url')}$${hash.toString('base64url')}`
      for (const typed of [composed, apart])
        expect([set, typed, await new Passwords().verify(typed, stored)]).toEqual([set, typed, true])
    }
  })

  it('costs more hashes than one in ASCII, each with a turn like the first, for an account that does not exist, too', async () => {
    const tried: string[] = []
    const passwords = new Passwords(1, (password) => {
      tried.push(password)
      return sum(password)
    })
    const hashes = async (password: string, stored?: string) => {
      tried.length = 0
      let before = 0
      await passwords.verify(password, stored, () => void before++)
      expect(before).toBe(tried.length)
      return [...tried]
    }
    expect(await hashes('plain-ascii-1')).toEqual(['plain-ascii-1'])
    expect(await hashes(apart)).toEqual([apart, composed])
    expect(await hashes(composed)).toEqual([composed, apart])
    const stored = await passwords.hash(apart)
    expect(await hashes(composed, stored)).toEqual([composed])
    expect(await hashes(apart, stored)).toEqual([apart, composed])
  })

  it('has to be of whole characters', async () => {
    const passwords = new Passwords()
    expect(await passwords.verify('half \ud83d 12', await passwords.hash('half \ud83d 12'))).toBe(false)
  })
})
