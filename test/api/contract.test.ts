// Every curl line of the contract, run with curl against the real program over TLS. The lines are read out of the
// document, so that one without an expectation in the table is a failure and not a gap.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signLicense } from '../../src/features/license/license.ts'
import { FIXTURES, REPOSITORY, type Server, startServer, TOKEN, temporaryFolder } from './appliance.ts'
import { hashOf, keyOf, PREFIX, until } from './client.ts'
import { CONTRACT, DOCUMENTS, type Expectation, LICENSE, type Seen, SHOWN } from './contract-table.ts'

const document = readFileSync(join(REPOSITORY, '../shared/seeds/jidoteki-api.txt'), 'utf8')

interface Line {
  text: string
  method: string
  path: string
  credential: 'hash' | 'token' | 'none'
  forms: { name: string; value: string }[]
}

function parse(text: string): Line {
  const [, method, url] = /^curl -X ([A-Z]+) (\S+)/.exec(text) ?? []
  const [, path, credential = 'none'] =
    /^https:\/\/\[hostname\]:8443\/api\/v1\/admin(\/[a-z/]+)(?:\?(hash|token)=\S+)?$/.exec(url ?? '') ?? []
  if (!method || !path) throw new Error(`not understood: ${text}`)
  const forms = [...text.matchAll(/ -F (\w+)=(\S+)/g)].map((match) => ({ name: match[1]!, value: match[2]! }))
  return { text, method, path, credential: credential as Line['credential'], forms }
}

const lines = document
  .split('\n')
  .filter((line) => /^\s*curl\b/.test(line))
  .map((line) => parse(line.trim()))
const key = ({ method, path, forms }: Line) => [method, path, ...forms.map(({ name }) => name)].join(' ')

let server: Server
let folder: string

beforeAll(async () => {
  folder = temporaryFolder()
  server = await startServer({
    token: null,
    tls: true,
    fixtureKeys: true,
    config: { 'first-run': { 'word-length': 4, enabled: false } },
  })
  for (const [name, value] of Object.entries(DOCUMENTS)) writeFileSync(join(folder, name), JSON.stringify(value))
  const signing = readFileSync(join(server.folders.state, 'vendor/license.priv'), 'utf8')
  writeFileSync(join(folder, 'license'), signLicense(JSON.stringify(LICENSE), signing))
})
afterAll(() => server?.close())

/** The file that stands for a placeholder of the document. */
function substitute({ path, credential }: Line, value: string): string {
  const files: Record<string, string> = {
    '@[software_package-name.enc]': join(FIXTURES, credential === 'hash' ? 'pkg_ok.enc' : 'pkg_garbage.enc'),
    '@[settings.json]': join(folder, path.slice(1)),
    '@[hostname.pem]': join(FIXTURES, 'rsa.pem'),
    '@[hostname.key]': join(FIXTURES, 'rsa.key'),
    '@[ca-cert.pem]': join(FIXTURES, 'ca.pem'),
    '@[license.asc]': join(folder, 'license'),
    '@[backup.tar]': join(server.folders.root, 'home/sftp/uploads/backup.tar'),
    '[yourtoken]': TOKEN,
  }
  if (files[value]) return value.startsWith('@') ? `@${files[value]}` : files[value]
  if (value.includes('[')) throw new Error(`nothing stands for ${value}`)
  return value
}

async function curl(method: string, target: string, forms: string[]): Promise<Seen> {
  const headersFile = join(folder, 'headers')
  const child = spawn(
    'curl',
    [
      '-q',
      '-ksS',
      '-m',
      '40',
      '-X',
      method,
      `${server.url}${target}`,
      '-D',
      headersFile,
      ...forms.flatMap((form) => ['-F', form]),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const chunks: Buffer[] = []
  let complaint = ''
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk) => {
    complaint += chunk
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  expect({ code, complaint }).toEqual({ code: 0, complaint: '' })
  // curl keeps the block of `100 Continue` as well: the last one is the answer.
  const block = readFileSync(headersFile, 'latin1').trim().split('\r\n\r\n').at(-1) ?? ''
  const [first = '', ...rest] = block.split('\r\n')
  return {
    status: Number(first.split(' ')[1]),
    headers: Object.fromEntries(
      rest.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    ),
    body: Buffer.concat(chunks),
  }
}

function check(seen: Seen, expectation: Expectation): void {
  expect(seen.status, seen.body.toString().slice(0, 300)).toBe(expectation.status)
  expect(seen.headers).toMatchObject(expectation.headers)
  expect(seen.headers['x-content-type-options']).toBe('nosniff')
  expect(seen.headers['x-frame-options']).toBe('deny')
  if (typeof expectation.body === 'string') expect(seen.body.toString()).toBe(expectation.body)
  else expectation.body(seen.body)
}

/** Whether the server has seen the end of every task: then no lock is taken any more. */
const idle = () =>
  until('every task has ended', () =>
    readdirSync(join(server.folders.state, 'tasks')).every((id) => server.output().includes(`"task":"${id}"`)),
  )

const signed = (method: string, path: string) => `${PREFIX}${path}?hash=${hashOf(TOKEN, method, `${PREFIX}${path}`)}`

describe('the HMAC vectors of the document', () => {
  const [secret, hash] = new Set([...document.matchAll(/\b[0-9a-f]{64}\b/g)].map(([value]) => value))

  it('are what our key and hash derive', () => {
    expect(keyOf('yourtoken')).toBe(secret)
    expect(hashOf('yourtoken', 'GET', '/api/v1/admin/version')).toBe(hash)
  })
})

describe('the curl lines of the document', () => {
  it('each have an expectation, and no expectation is without its line', () => {
    expect(lines.length).toBe(document.match(/\bcurl -X /g)?.length)
    expect(lines.length).toBeGreaterThan(40)
    expect([...new Set(lines.map(key))].sort()).toEqual(Object.keys(CONTRACT).sort())
    for (const name of new Set(lines.map(key))) {
      const credentials = lines.filter((line) => key(line) === name).map(({ credential }) => credential)
      expect([name, credentials]).toEqual([
        name,
        name === 'POST /setup newtoken' ? ['none', 'hash', 'token'] : ['hash', 'token'],
      ])
    }
  })

  for (const line of lines) {
    it(`answers as documented: ${line.method} ${line.path} (${line.credential})`, async () => {
      const target =
        line.credential === 'hash'
          ? signed(line.method, line.path)
          : `${PREFIX}${line.path}${line.credential === 'token' ? `?token=${TOKEN}` : ''}`
      const forms = line.forms.map((form) => `${form.name}=${substitute(line, form.value)}`)
      check(await curl(line.method, target, forms), CONTRACT[key(line)]!)
      if (line.method === 'POST' || line.path === '/reboot') await idle()
      await AFTER[`${line.method} ${line.path} ${line.credential}`]?.()
    })
  }
})

/** What the document says must be seen after a line's slow work is done. */
const AFTER: Record<string, () => Promise<void>> = {
  async 'POST /update hash'() {
    const seen = await curl('GET', signed('GET', '/update'), [])
    expect(JSON.parse(seen.body.toString())).toEqual({
      status: 'success',
      percentage: 100,
      log: expect.stringMatching(/\[SYSTEM\] Update successful\\n$/),
    })
  },
  async 'POST /update token'() {
    const seen = await curl('GET', signed('GET', '/update'), [])
    expect(seen.status).toBe(200)
    expect(Object.entries(JSON.parse(seen.body.toString()))).toEqual([
      ['status', 'failed'],
      ['percentage', 30],
      ['log', expect.stringContaining('Failed updating system.')],
      ['error-message', 'Error decrypting software update package'],
      ['error-code', 'E1005'],
    ])
  },
  async 'GET /reboot token'() {
    expect(server.read(join(server.folders.root, 'log/hooks.log')).match(/^reboot\.sh/gm)).toHaveLength(2)
  },
  async 'POST /backup token'() {
    for (const [name, expectation] of Object.entries(SHOWN)) {
      const [method = '', path = ''] = name.split(' ')
      check(await curl(method, signed(method, path), []), expectation)
    }
  },
}

describe('the error answers of the document', () => {
  const bare = (status: string) => ({ status: Number(status.split(' ')[0]), body: `{"Status":"${status}"}` })
  const cases: [string, string, string[], ReturnType<typeof bare>][] = [
    ['a new token that is empty', 'POST /setup', ['newtoken='], bare('400 Bad Request')],
    ['an update without a package', 'POST /update', [], bare('400 Bad Request')],
    [
      'an update that is text',
      'POST /update',
      ['update='],
      { status: 400, body: 'Expected a file for option: update' },
    ],
    ['settings without a file', 'POST /settings', [], bare('400 Bad Request')],
    ['certificates without a key', 'POST /certs', ['public=@KEY'], bare('400 Bad Request')],
    ['a license that is none', 'POST /license', ['license=@KEY'], { status: 400, body: 'Error-Message' }],
    ['storage without a file', 'POST /storage', [], bare('400 Bad Request')],
    [
      'a backup without an action',
      'POST /backup',
      [],
      { status: 400, body: "Missing or invalid option: action. Expected value 'START' or 'STOP'" },
    ],
    ['a restore without an archive', 'POST /backup/restore', [], bare('400 Bad Request')],
    ['a restore of something else', 'POST /backup/restore', ['archive=@KEY'], { status: 400, body: 'Error-Message' }],
  ]
  for (const [name, call, forms, expected] of cases) {
    it(`come for ${name}`, async () => {
      const [method = '', path = ''] = call.split(' ')
      const parts = forms.map((form) => form.replace('@KEY', `@${join(FIXTURES, 'rsa.key')}`))
      const seen = await curl(method, signed(method, path), parts)
      expect(seen.status).toBe(expected.status)
      expect(seen.headers['content-type']).toBe('application/json')
      // What the original refuses without a word has words here, and nothing else besides.
      if (expected.body.startsWith('{'))
        expect(JSON.parse(seen.body.toString())).toEqual({
          ...JSON.parse(expected.body),
          'Error-Message': expect.stringMatching(/^Expected a (value|file) for option: [a-z]+/),
        })
      else expect(seen.body.toString()).toContain(expected.body)
    })
  }

  it('come as 403 for wrong credentials', async () => {
    const seen = await curl('GET', `${PREFIX}/version?token=wrong`, [])
    const expected = { Status: '403 Forbidden', 'Error-Message': 'Authentication error' }
    const errors = [{ field: 'token', message: 'This is not the token' }]
    expect([seen.status, JSON.parse(seen.body.toString())]).toEqual([403, { ...expected, errors }])
    expect(seen.headers['error-message']).toBe('Authentication error')
  })

  it('come as 404 for what is not there, and say null for a status that is not', async () => {
    const fresh = await startServer({ config: { endpoints: ['settings', 'storage', 'certs', 'license', 'backup'] } })
    try {
      for (const path of [
        '/update/log',
        '/settings',
        '/storage',
        '/license',
        '/backup',
        '/backup/download',
        '/backup/log',
      ]) {
        const { status, body } = await fresh.call('GET', path)
        expect([path, status, JSON.parse(body)]).toEqual([
          path,
          404,
          { Status: '404 Not Found', 'Error-Message': expect.stringMatching(/^[A-Z][^{}/]+$/) },
        ])
      }
      expect((await fresh.call('GET', '/update')).body).toBe('{"status":null,"log":null}')
      expect((await fresh.call('GET', '/certs')).body).toBe('{"status":null,"log":null}')
    } finally {
      await fresh.close()
    }
  })

  it('come as 404 for endpoints that are switched off, whoever asks', async () => {
    const bareServer = await startServer({ config: { endpoints: [] } })
    try {
      for (const [method, path] of [
        ['GET', '/settings'],
        ['POST', '/storage'],
        ['GET', '/backup/log'],
        ['POST', '/license'],
        ['GET', '/certs'],
      ] as const) {
        const known = await bareServer.call(method, path)
        const nobody = await bareServer.call(method, path, { nobody: true })
        const words = 'There is nothing at this path, or it is switched off'
        const expected = `{"Status":"404 Not Found","Error-Message":"${words}"}`
        expect([known.status, known.body, nobody.status, nobody.body]).toEqual([404, expected, 404, expected])
      }
    } finally {
      await bareServer.close()
    }
  })
})
