// The recordings of real programs are whole. A recording without its last line would make a parser's test pass on less.
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { FIXTURES, recorded } from '../harness/recorded.ts'

const names = readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' })
  // The record of the kernel's target is a script with its answers, and has tests of its own; what was composed is no recording.
  .filter((name) => name.endsWith('.txt') && !/^(?:lio-|zpool-composed\/)/.test(name))
  .map((name) => name.slice(0, -'.txt'.length))

test('every recording names its command, its exit status and both outputs', () => {
  expect(names.length).toBeGreaterThan(300)
  for (const name of names) {
    const { command, status, stdout, stderr } = recorded(name)
    expect(name, name).toMatch(new RegExp(`^${command.split(' ')[0]}-[0-9.]+/`))
    expect(status, name).toBeLessThan(256)
    for (const output of [stdout, stderr]) expect(output === '' || output.endsWith('\n'), name).toBe(true)
  }
})

test('a recorded JSON answer is JSON', () => {
  const json = names.filter((name) => {
    const { command, status } = recorded(name)
    // What ZFS prints in the C locale when a property holds more than ASCII.
    return / -j/.test(command) && status === 0 && !name.endsWith('-cut')
  })
  expect(json.length).toBeGreaterThan(15)
  for (const name of json) expect(() => JSON.parse(recorded(name).stdout), name).not.toThrow()
})
