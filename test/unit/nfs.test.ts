// `exportfs` and the threads of the kernel's NFS server. Its output decides, because `exportfs` exits with 0 after some failures.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createNfs } from '../../src/drivers/nfs.ts'
import type { Tool } from '../../src/drivers/programs.ts'
import type { RunOptions } from '../../src/drivers/run.ts'

/** `exportfs` answers this. */
function answering(output: { stdout?: string; stderr?: string; status?: number }) {
  const calls: { args: string[]; accept: RunOptions['accept'] }[] = []
  const tool: Tool = async (_name, args, options) => {
    calls.push({ args, accept: options?.accept })
    return { stdout: '', stderr: '', status: 0, ...output }
  }
  return { nfs: createNfs(tool), calls }
}

it('the table is asked for, and lines of no export are passed over', async () => {
  const { nfs, calls } = answering({ stdout: '/tank/a\\040b  *(ro,sync)\n/tank/c  10.0.0.1(rw)  \nremark\n(ro)\n' })
  expect(await nfs.active()).toEqual([
    { path: '/tank/a b', client: '*', options: ['ro', 'sync'] },
    { path: '/tank/c', client: '10.0.0.1', options: ['rw'] },
  ])
  expect(calls).toEqual([{ args: ['-s'], accept: undefined }])
})

it.each([0, 1])(
  'complaints of an `exportfs` that ends with %i are heard, without the folders of the files',
  async (status) => {
    const complaint =
      "exportfs: Failed to resolve nohost\n\nexportfs: /etc/exports.d/x.exports:3: unknown keyword 'a'\n"
    const { nfs, calls } = answering({ stderr: complaint, status })
    const found = await nfs.apply()
    expect(found).toMatchObject({ argv: ['exportfs', '-ra'], reason: 'status', status })
    expect(found?.stderr).toBe("Failed to resolve nohost\nx.exports:3: unknown keyword 'a'")
    expect(calls).toEqual([{ args: ['-ra'], accept: [1] }])
  },
)

it('a missing /etc/exports is no complaint, and neither is silence', async () => {
  const missing = "exportfs: can't open /etc/exports for reading\n"
  expect(await answering({ stderr: missing, status: 1 }).nfs.apply()).toBeUndefined()
  expect(await answering({}).nfs.apply()).toBeUndefined()
  const both = await answering({ stderr: `${missing}exportfs: something else\n`, status: 1 }).nfs.apply()
  expect(both?.stderr).toBe('something else')
})

it('the server runs while it has threads', () => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-admin-nfs-'))
  try {
    const file = join(folder, 'threads')
    const isRunning = () => createNfs(async () => ({ stdout: '', stderr: '', status: 0 }), file).isRunning()
    expect(isRunning()).toBe(false)
    for (const [text, running] of [
      ['0\n', false],
      ['1\n', true],
      ['8\n', true],
    ] as const) {
      writeFileSync(file, text)
      expect([text, isRunning()]).toEqual([text, running])
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
