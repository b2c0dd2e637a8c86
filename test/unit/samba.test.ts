// Samba's programs where they say one thing and end with another: `net conf` puts its complaints on standard output, and some of them end
// with status 0.
import { describe, expect, it } from 'vitest'
import type { Tool } from '../../src/drivers/programs.ts'
import { CommandError, type Output } from '../../src/drivers/run.ts'
import { createSamba } from '../../src/drivers/samba.ts'

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

/** Each program answers, or refuses, as `act` does. */
const acting = (act: (words: string) => Partial<Output> | Error) => {
  const calls: string[] = []
  const tool: Tool = async (name, args) => {
    calls.push([name, ...args].join(' '))
    const found = act([name, ...args].join(' '))
    if (found instanceof Error) throw found
    return { stdout: '', stderr: '', status: 0, ...found }
  }
  return { samba: createSamba(tool), calls }
}
const failed = (reason: CommandError['reason'], stderr = '', status?: number) =>
  new CommandError(['x'], reason, stderr, status)

describe('the configuration', () => {
  it('is what testparm shows: whether the registry counts, and the shares', async () => {
    const text = (registry: string) => `[one]\n\tpath = /a\n[Global]\n${registry}\tworkgroup = X\n[two]\n`
    for (const [line, registry] of [
      ['\tregistry shares = Yes\n', true],
      ['\tregistry shares = No\n', false],
      ['\tregistry shares = Yes please\n', false],
      ['', false],
    ] as const) {
      const { samba, calls } = acting(() => ({ stdout: text(line) }))
      const found = await samba.effective()
      expect([found.registry, found.global.parameters.get('workgroup')]).toEqual([registry, 'X'])
      expect(found.shares.map(({ name }) => name)).toEqual(['one', 'two'])
      expect(calls).toEqual(['testparm -s'])
    }
    const { samba } = acting(() => ({ stdout: '[one]\n' }))
    const error = { reason: 'status', stderr: 'testparm showed no [global] section' }
    await expect(samba.effective()).rejects.toMatchObject(error)
  })

  it('that cannot be read is told without what testparm always says', async () => {
    const remarks = 'Load smb config files from /x\nlp_load_ex: x\nLoaded services file OK.\nWeak crypto is allowed\n'
    const { samba } = acting(() => failed('status', `${remarks}NOTE: x\n\nServer role: x\nERROR: no such file\n`, 1))
    await expect(samba.effective()).rejects.toMatchObject({ stderr: 'ERROR: no such file', status: 1 })
    await expect(acting(() => new Error('ours')).samba.effective()).rejects.toThrow('ours')
  })
})

describe('a share of the registry', () => {
  it('that is not there is none, and any other refusal is one', async () => {
    const says = (stdout: string) => acting(() => ({ stdout, status: 255 })).samba.show('x')
    expect(await says('Error: SBC_ERR_NO_SUCH_SERVICE')).toBeUndefined()
    await expect(says('Error: SBC_ERR_ACCESS')).rejects.toMatchObject({ reason: 'status' })
    await expect(acting(() => new Error('SBC_ERR_NO_SUCH_SERVICE')).samba.show('x')).rejects.toThrow()
  })
})

describe('smbd', () => {
  it.each<[string, Partial<Output> | CommandError, boolean, boolean]>([
    ['answers', { stdout: 'PONG from pid 5\n' }, true, true],
    ['says something else', { stdout: '' }, false, true],
    ['is too busy', failed('timeout'), false, true],
    ['has no process', failed('status', "Can't find pid for destination 'smbd'", 1), false, false],
    ['is not installed', failed('missing'), false, false],
    ['cannot be asked', failed('status', 'permission denied', 1), false, true],
  ])('that %s', async (_what, answer, running, there) => {
    const { samba, calls } = acting(() => answer)
    expect([await samba.isRunning(), await samba.hasServer()]).toEqual([running, there])
    expect(new Set(calls)).toEqual(new Set(['smbcontrol --timeout=5 smbd ping']))
  })

  it('is told of changes, and to end connections of all or of some', async () => {
    const { samba, calls } = acting(() => ({}))
    await samba.reload()
    await samba.disconnect('data', 'all')
    await samba.disconnect('data', 'denied')
    expect(calls.map((call) => call.replace('smbcontrol ', ''))).toEqual([
      ...['all reload-config', 'smbd close-share data', 'smbd close-denied-share data'],
    ])
    await expect(acting(() => new Error('ours')).samba.isRunning()).rejects.toThrow('ours')
  })
})
