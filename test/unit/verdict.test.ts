// What the vendor's license.sh may do when it is asked about the license: say yes, say no, or nothing that could be believed. The scripts are real.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { judge } from '../../src/cli/judge.ts'
import { createRun, type Run, type RunOptions } from '../../src/drivers/run.ts'
import { askVendor } from '../../src/features/license/verdict.ts'
import { until } from '../api/client.ts'

const folder = mkdtempSync(join(tmpdir(), 'edge-admin-verdict-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const script = join(folder, 'license.sh')
const run = createRun((program) => program === script)
const vendor = (body: string, first = '#!/bin/sh\n') => {
  rmSync(script, { force: true })
  writeFileSync(script, `${first}${body}\n`, { mode: 0o755 })
}
const ask = (body: string, limit?: number) => {
  vendor(body)
  return askVendor({ run, script, environment: { EDGE_ROOT: folder, EDGE_LABEL: 'box' }, ...(limit && { limit }) })
}
/** A zombie that nobody has collected yet is gone as well. */
const isAlive = (pid: number) => {
  const stat = `/proc/${pid}/stat`
  return existsSync(stat) && !/^\d+ \(.*\) Z/s.test(readFileSync(stat, 'utf8'))
}
const says = (why: string) => `license.sh of this system ${why}`

describe('the word of the vendor', () => {
  it.each([
    ['echo \'{"users":20}\'', '{"users":20}\n'],
    ['printf \'\\357\\273\\277{"name":"Jörg"}\'', '{"name":"Jörg"}'],
    [
      'printf "%s" "{\\"at\\":\\"$EDGE_ROOT\\",\\"label\\":\\"$EDGE_LABEL\\"}"',
      JSON.stringify({ at: folder, label: 'box' }),
    ],
  ])('is a yes, word for word: %s', async (body, text) => {
    expect(await ask(body)).toEqual({ is: 'valid', text, complaint: '' })
  })

  it.each([
    ['exit 0', 'none', 'printed nothing'],
    ['echo; echo " "', 'none', 'printed nothing'],
    ['echo "{}"; echo expired >&2; exit 3', 'none', 'ended with status 3'],
    ['echo not-json', 'broken', 'printed what is not JSON'],
    ['echo "{} {}"', 'broken', 'printed what is not JSON'],
    ['echo "[{}]"', 'broken', 'printed JSON that is no object'],
    ['echo null', 'broken', 'printed JSON that is no object'],
    ['printf \'{"name":"J\\366rg"}\'', 'broken', 'printed bytes that are not UTF-8'],
    ['yes', 'broken', 'printed more than 1048576 bytes'],
    ['echo "{}"; kill -9 $$', 'broken', 'was killed'],
  ])('is none after %s', async (body, is, why) => {
    expect(await ask(body)).toMatchObject({ is, why: says(why) })
  })

  it('is none where it cannot be started', async () => {
    vendor('echo "{}"', '#!/bin/sh\r\n')
    const asked = () => askVendor({ run, script, environment: {} })
    expect(await asked()).toMatchObject({ is: 'broken', why: 'the lines of license.sh end in CR LF' })
    vendor('echo "{}"')
    chmodSync(script, 0o644)
    expect(await asked()).toMatchObject({ is: 'broken', why: 'license.sh is not executable' })
    // A shell takes over what the kernel does not know.
    vendor('echo "{}"; exit 127', '\ufeff#!/bin/sh\n')
    expect(await asked()).toMatchObject({ is: 'broken', why: 'license.sh begins with a byte order mark' })
    rmSync(script)
    expect(await asked()).toMatchObject({ is: 'broken', why: says('cannot be started') })
  })

  it('has a limit, and what it started ends with it', async () => {
    const pid = join(folder, 'pid')
    const asked = ask(`setsid sleep 600 & echo $! >${pid}; echo "{}"; wait`, 1500)
    expect(await asked).toMatchObject({ is: 'broken', why: says('did not end within 1.5 seconds') })
    await until('what it started is gone', () => !isAlive(Number(readFileSync(pid, 'utf8'))))
  })

  it('has 30 seconds and one mebibyte, unless somebody says otherwise', async () => {
    let given: RunOptions | undefined
    const noted: Run = async (_program, _args, options) => {
      given = options
      return { stdout: '', stderr: '', status: 0 }
    }
    await askVendor({ run: noted, script, environment: {} })
    expect(given).toMatchObject({ timeout: 30_000, maxBytes: 1 << 20, foreign: true, env: {} })
  })

  it('does not wait for what it left behind', async () => {
    const { is, complaint } = await ask('sleep 600 & echo "{}"; echo $! >&2')
    expect([is, complaint]).toEqual(['valid', expect.stringMatching(/^\d+\n$/)])
    process.kill(Number(complaint), 'SIGKILL')
  })
})

describe('edge-admin judge', () => {
  const file = join(folder, 'decision')
  const judged = async (args: string[], limit?: number) => {
    rmSync(file, { force: true })
    let err = ''
    const write = (text: string) => {
      err += text
      return true
    }
    const sink = { write } as unknown as NodeJS.WritableStream
    const status = await judge(args, { stdout: sink, stderr: sink, env: { EDGE_ROOT: folder } }, limit)
    return { status, err, text: existsSync(file) ? readFileSync(file, 'utf8') : undefined }
  }

  it.each([
    ['echo "{}"; echo fine >&2', { status: 0, err: 'fine\n', text: '{}\n' }],
    ['echo why >&2; exit 1', { status: 3, err: `why\n${says('ended with status 1')}\n`, text: '' }],
    ['echo x', { status: 2, err: `${says('printed what is not JSON')}\n`, text: '' }],
  ])('tells by its exit status: %s', async (body, told) => {
    vendor(body)
    expect(await judged([script, file])).toEqual(told)
  })

  it('says that it was called wrongly', async () => {
    for (const args of [
      [],
      [script],
      ['license.sh', file],
      [script, file, '1'],
      [script, file, 'root', '0'],
      [script, file, '1', '-1'],
    ])
      expect((await judged(args)).status).toBe(64)
  })
})
