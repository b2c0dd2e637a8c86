// Why the original's wrapper failed: the task's message says it, and clients of the original's status files read the
// words that they know. What it printed last is in the task's log alone, so the log has to be a file here, as the
// server opens it.
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect } from 'vitest'
import { Appliance, removeTemporary, type Shell, shells } from './harness.ts'
import { inTurn } from './pairwise.ts'

afterAll(removeTemporary)

const SH = '#!/bin/sh\n'
const digestOf = (text: string) => createHash('sha256').update(text).digest('hex')
const KEY_LINES = ['-----BEGIN PRIVATE KEY-----', 'MIIEvQIBADANBgkqhkiG9w', '-----END PRIVATE KEY-----'].join('\n')

describe.each(shells())('a wrapper that fails under $name', (shell: Shell) => {
  const it = inTurn(shell.name)
  const lay = (text: string, mode = 0o755) => {
    const box = new Appliance(shell)
    const wrapper = join(box.root, 'bin/wrapper.sh')
    mkdirSync(join(box.root, 'bin'))
    writeFileSync(wrapper, text)
    chmodSync(wrapper, mode)
    return { box, env: { EDGE_WRAPPER: wrapper } }
  }
  const message = async (text: string, mode?: number) => {
    const { box, env } = lay(text, mode)
    const { task, log } = await box.run('wrapper', ['token'], env, { 'api.token': Buffer.from('next\n') })
    expect([task.status, task.error?.code, task.error?.message], log).toEqual(['failed', 'E1000', task.message])
    return task.message
  }

  it.each([
    ['is not executable', `${SH}:\n`, 0o644, 'wrapper.sh is not executable'],
    ['was saved on Windows', '#!/bin/sh\r\n:\r\n', 0o755, 'the lines of wrapper.sh end in CR LF'],
    ['names nobody', '#!/no/such/bash\n', 0o755, 'the interpreter of wrapper.sh is not here: /no/such/bash'],
    ['is killed', `${SH}kill -9 $$\n`, 0o755, 'wrapper.sh was ended by signal 9'],
    ['says nothing', `${SH}exit 3\n`, 0o755, 'wrapper.sh ended with exit status 3'],
    [
      'has a lock of its own',
      `${SH}echo first\necho "[1][LIVE] update_token.sh is already running" >&2\nexit 1\n`,
      0o755,
      'wrapper.sh ended with exit status 1: [1][LIVE] update_token.sh is already running',
    ],
  ])('says why in the task: it %s', async (_, text, mode, why) => {
    expect(await message(text, mode)).toBe(why)
  })

  it('tells its last words as one short line that is no terminal’s, and no secret', async () => {
    const begin = 'wrapper.sh ended with exit status 4: '
    expect(
      await message(`${SH}printf 'a\\r\\033[31mred\\tone\\033[0m \\007\\303\\274 "\\\\ \\r\\n \\n\\n'; exit 4\n`),
    ).toBe(`${begin}red one ??? "\\`)
    expect(await message(`${SH}echo "api token=very-secret password: so secret"; exit 4\n`)).toBe(
      `${begin}api token=[redacted] password: [redacted]`,
    )
    expect(await message(`${SH}head -c 5000 /dev/zero | tr '\\0' x; exit 4\n`)).toBe(begin + 'x'.repeat(300))
    // Of so long a line nobody knows how it began.
    expect(await message(`${SH}printf password=; head -c 70000 /dev/zero | tr '\\0' x; exit 4\n`)).toBe(
      begin.slice(0, -2),
    )
  })

  /** What the message says where the wrapper prints this line last. */
  const lastWords = async (kind: string, line: string, inputs: Record<string, string>, rest = '') => {
    const { box, env } = lay(`${SH}${rest}\nprintf '%s\\n' ${line}; exit 4\n`)
    writeFileSync(box.etc('api.token'), 'old-token-of-this\n')
    writeFileSync(join(box.folder, 'sysconf/storage.conf'), "type=iscsi\npassword='old secret'\n")
    const bytes = Object.entries(inputs).map(([name, text]) => [name, Buffer.from(text)] as const)
    const { task, id } = await box.run('wrapper', [kind], env, Object.fromEntries(bytes))
    expect(['input', 'try'].filter((name) => existsSync(box.task(id, name)))).toEqual([])
    return task.message.replace('wrapper.sh ended with exit status 4', '').replace(/^: /, '')
  }
  const STORAGE = {
    'storage.json': '{"password":"n\\"ew word"}',
    'storage.conf': "type=iscsi\npassword='n\"ew word'\n",
  }

  it.each([
    ['token', '"set new-token-of-this"', { 'api.token': 'new-token-of-this\n' }, 'set [redacted]'],
    ['token', '"was old-token-of-this"', { 'api.token': 'new-token-of-this\n' }, 'was [redacted]'],
    ['token', digestOf('new-token-of-this'), { 'api.token': 'new-token-of-this\n' }, '[redacted]'],
    ['storage', `'login with n"ew word: refused'`, STORAGE, 'login with [redacted]: refused'],
    ['storage', "'login with old secret: refused'", STORAGE, 'login with [redacted]: refused'],
    ['certs', '"bad MIIEvQIBADANBgkqhkiG9w"', { 'appliance.key': `${KEY_LINES}\n` }, 'bad [redacted]'],
  ])('knows the secrets of the appliance and of the task: %s %s', async (kind, line, inputs, said) => {
    expect(await lastWords(kind, line, inputs)).toBe(said)
  })

  it('says nothing of them where it cannot know the secrets', async () => {
    const taken = 'for task in "$EDGE_STATEDIR"/tasks/*; do : >"$task/try"; done'
    expect(await lastWords('token', 'anything', { 'api.token': 'next\n' }, taken)).toBe('')
  })

  it('leaves words in the original’s status that its clients know', async () => {
    const { box, env } = lay(`${SH}cd "$EDGE_ROOT/etc" && echo running >status_update.txt
printf '{"status":"running","percentage":40}' >status_update.json; echo no more; exit 1\n`)
    const { task } = await box.run('wrapper', ['update'], env)
    expect(task.message).toBe('wrapper.sh ended with exit status 1: no more')
    const told = ['message', 'code'].map((name) => box.read(box.etc(`status_error_${name}.txt`)))
    expect([...told, box.read(box.etc('status_update.txt'))]).toEqual(['Script error\n', 'E1000\n', 'failed\n'])
  })
})
