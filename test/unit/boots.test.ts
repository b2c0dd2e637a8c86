// The order in which tokens were issued, by boots and the clock that only goes forward.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { countBoots, isAfter, newTokenId, readTokenId } from '../../src/auth/boots.ts'
import { TestClock } from '../harness/clock.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-'))
})
afterEach(() => rmSync(folder, { recursive: true }))
const file = () => join(folder, 'boots.json')

it('boots are counted, each once, however often the server starts', () => {
  const clock = new TestClock()
  const first = countBoots(folder, clock)
  expect(first).toEqual({ number: 1, name: expect.stringMatching(/^1-[0-9a-f]{8}$/) })
  expect(statSync(file()).mode & 0o777).toBe(0o600)
  const { ino } = statSync(file())
  expect(countBoots(folder, clock)).toEqual(first)
  expect(statSync(file()).ino).toBe(ino)
  const second = countBoots(folder, clock.reboot())
  expect([second.number, second.name === first.name.replace('1-', '2-')]).toEqual([2, false])
  expect(countBoots(folder, clock)).toEqual(second)
})

it('a count that was lost, or cannot be kept, begins anew', () => {
  const clock = new TestClock()
  for (const text of ['', '{}', '{"boot":"boot-1","number":0}', '{"boot":7,"number":3}']) {
    writeFileSync(file(), text)
    expect([text, countBoots(folder, clock).number]).toEqual([text, 1])
    expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual({ boot: 'boot-1', number: 1 })
  }
  expect(countBoots(join(folder, 'no/such/folder'), clock).number).toBe(1)
})

it('an id says when it was issued', () => {
  const clock = new TestClock()
  const boot = countBoots(folder, clock)
  clock.pass(1999)
  const id = newTokenId(boot, clock)
  expect(readTokenId(id)).toEqual({ boot: boot.name, issued: [1, 6] })
  expect(newTokenId(boot, clock)).not.toBe(id)
  for (const other of ['', 'j1', `x${id}`, `${id}0`, id.replace('.', '')])
    expect([other, readTokenId(other)]).toEqual([other, undefined])
})

it('what another boot issued is later by the boot, whatever its seconds; in one boot, by them', () => {
  expect(isAfter([2, 5], [2, 4])).toBe(true)
  expect(isAfter([2, 4], [2, 4])).toBe(false)
  expect(isAfter([2, 3], [2, 4])).toBe(false)
  expect(isAfter([3, 1], [2, 4])).toBe(true)
  expect(isAfter([1, 9], [2, 4])).toBe(false)
})
