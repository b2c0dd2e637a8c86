// Samba's programs where they say one thing and end with another: `net conf` puts its complaints on standard output, and some of them end
// with status 0.
import { describe, expect, it } from 'vitest'
import { CommandError, type Output } from '../../src/drivers/run.ts'
import { createSamba } from '../../src/drivers/samba.ts'
import type { Tool } from '../../src/drivers/tool.ts'

/** `net` answers this, whatever it is asked. */
const answering = (output: Partial<Output>) => {
  const calls: string[][] = []
  const tool: Tool = async (name, args) => {
    calls.push([name, ...args])
    return { stdout: '', stderr: '', status: 0, ...output }
  }
  return { samba: createSamba(tool), calls }
}

const COMPLAINTS = [
  "Can't load /etc/samba/smb.conf - run testparm to debug it\n",
  'Failed to initialize the messaging context\n',
  "error loading file '/x': SBC_ERR_BADFILE\n",
  'Error deleting share data: SBC_ERR_IO_FAILURE\n',
  "ERROR: 'global' is not a valid share name.\n",
]

describe('net conf', () => {
  for (const stdout of COMPLAINTS)
    for (const status of [0, 255])
      it(`fails with status ${status} and the words ${JSON.stringify(stdout.trim())}`, async () => {
        const { samba } = answering({ stdout, status })
        for (const call of [samba.replace('/x', 'data'), samba.remove('data'), samba.show('data')]) {
          const error = await call.catch((thrown: unknown) => thrown)
          expect(error).toBeInstanceOf(CommandError)
          expect((error as CommandError).stderr).toContain(stdout.trim())
        }
      })

  it('fails with the status of a failure also without a word', async () => {
    await expect(answering({ status: 255 }).samba.replace('/x', 'data')).rejects.toMatchObject({ status: 255 })
  })

  it('succeeds when it shows a share whose text holds such words', async () => {
    const stdout = "[errors]\n\tcomment = Can't load; error\n\tpath = /Failed to\n"
    const { samba, calls } = answering({ stdout })
    expect(await samba.show('errors')).toEqual({
      name: 'errors',
      parameters: new Map([
        ['comment', "Can't load; error"],
        ['path', '/Failed to'],
      ]),
    })
    await samba.replace('/state/section.conf', 'errors')
    await samba.remove('errors')
    expect(calls).toEqual([
      ['net', 'conf', 'showshare', 'errors'],
      ['net', 'conf', 'import', '/state/section.conf', 'errors'],
      ['net', 'conf', 'delshare', 'errors'],
    ])
  })
})
