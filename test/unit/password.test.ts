// Password hashes. The trap: the queue is shown with one place, so that the order of what waits is the order of what came.
import { scryptSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
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

  it('is checked with the parameters that it names, whatever is usual today', async () => {
    const salt = Buffer.alloc(16, 7)
    const hash = scryptSync('older 1', salt, 32, { N: 1024, r: 4, p: 2 })
    const stored = `scrypt$1024$4$2$${salt.toString('base64url')}$${hash.toString('base64url')}`
    expect(await new Passwords().verify('older 1', stored)).toBe(true)
    expect(await new Passwords().verify('older 2', stored)).toBe(false)
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
  it('has one place per core, and asks again when a place is free', async () => {
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

  it('has an end', async () => {
    const passwords = new Passwords(1)
    const stored = hashPasswordNow('right 123')
    const gate = { open: false }
    const answers = Array.from({ length: 130 }, () =>
      passwords.verify('x', stored, () => {
        if (gate.open) throw new Error('enough')
      }),
    ).map((answer) => answer.catch((error: Error & { kind?: string }) => error.kind ?? error.message))
    gate.open = true
    const all = await Promise.all(answers)
    expect(all.at(0)).toBe(false)
    expect(all.at(-1)).toBe('unavailable')
    expect(all.filter((answer) => answer === 'enough')).toHaveLength(128)
  })
})
