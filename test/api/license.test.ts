// The license over HTTP where the vendor's license.sh decides: what is said after a yes, a no and nonsense, with our own scripts and through the original's
// wrapper; and however many ask, it is started once.
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { signLicense } from '../../src/features/license/license.ts'
import { type InProcess, installation, startAppliance, temporaryFolder } from './appliance.ts'
import { file, until } from './client.ts'

const GOOD = '{"app":"box","users":20}\n'
const OTHER = '{"app":"box","users":5}\n'
const BAD = 'garbage\n'
/** Says yes to what begins as an object; writes down who asked, and in which environment. */
const VENDOR = `echo "$(id -u) $EDGE_ROOT $EDGE_SYSCONFDIR $EDGE_DATADIR $EDGE_STATEDIR $EDGE_LABEL $EDGE_CONTRACT $PATH $PWD $#" >>"$EDGE_ROOT/asked"
grep -q "^{" "$EDGE_ROOT/etc/license.asc" || exit 1
cat "$EDGE_ROOT/etc/license.asc"`
/** As the original: the candidate is moved into place, and nobody asked. */
const WRAPPER = `#!/bin/sh
[ "$SSH_ORIGINAL_COMMAND" = license ] || exit 1
mv -f "$EDGE_ROOT/home/sftp/uploads/license.asc" "$EDGE_ROOT/etc/license.asc"
`

const open: InProcess[] = []
const wrappers = new Map<InProcess, string>()
// Takes seconds, and is no part of a test's time.
beforeAll(() => void installation())
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

async function start(vendor = VENDOR, wrapped = false): Promise<InProcess> {
  const wrapper = join(temporaryFolder(), 'wrapper.sh')
  writeFileSync(wrapper, WRAPPER, { mode: 0o755 })
  const one = await startAppliance({
    scripts: join(installation(), 'scripts'),
    config: { endpoints: ['license'], label: 'BOX', ...(wrapped && { wrapper }) },
    prepare: ({ root }) => writeFileSync(join(root, 'bin/license.sh'), `#!/bin/sh\n${vendor}\n`, { mode: 0o755 }),
  })
  open.push(one)
  wrappers.set(one, wrapper)
  return one
}
const post = ({ call }: InProcess, text: string) => call('POST', '/license', { form: [file('license', text)] })
const get = async ({ call }: InProcess) => {
  const { status, headers, body } = await call('GET', '/license')
  return { status, type: headers['content-type'], body }
}
const vendor = ({ folders }: InProcess, body: string) =>
  writeFileSync(join(folders.root, 'bin/license.sh'), `#!/bin/sh\n${body}\n`, { mode: 0o755 })
const asked = ({ folders, read }: InProcess) => read(join(folders.root, 'asked')).split('\n').filter(Boolean)

describe.each([
  ['our own scripts', false],
  ['the original wrapper', true],
])('a license through %s', (_how, wrapped) => {
  it('is answered as what happened, and GET says the same', async () => {
    const box = await start(VENDOR, wrapped)
    expect((await get(box)).status).toBe(404)
    const first = await post(box, GOOD)
    expect([first.status, first.body]).toEqual([200, GOOD])
    const bad = await post(box, BAD)
    const rejected = { Status: '400 Bad Request', 'Error-Message': 'The license was rejected', 'First-Run': false }
    expect([bad.status, JSON.parse(bad.body)]).toEqual([400, rejected])
    expect(await get(box)).toEqual({ status: 200, type: 'application/json', body: GOOD })
    expect((await post(box, OTHER)).body).toBe(OTHER)
    expect((await get(box)).body).toBe(OTHER)
  })

  it('is refused with the reason when the vendor prints nonsense', async () => {
    const box = await start(VENDOR, wrapped)
    expect((await post(box, GOOD)).status).toBe(200)
    vendor(box, 'echo "<html>"')
    const { status, body } = await post(box, OTHER)
    expect([status, JSON.parse(body)]).toMatchObject([
      400,
      {
        'Error-Message': 'The license was rejected',
        'Error-Reason': 'license.sh of this system printed what is not JSON',
      },
    ])
    vendor(box, VENDOR)
    expect((await get(box)).body).toBe(GOOD)
  })

  it('is asked for in one way by POST and by GET', async () => {
    const box = await start(VENDOR, wrapped)
    await post(box, GOOD)
    await get(box)
    const lines = asked(box)
    expect(lines).toHaveLength(2)
    expect(lines[0]).toContain(` ${box.folders.root} `)
    expect(lines[0]).toContain(' BOX 1 ')
    expect(lines[1]).toBe(lines[0])
  })
})

describe('a license through an original that asks the vendor itself', () => {
  const asks = (box: InProcess, after: string) =>
    writeFileSync(wrappers.get(box) as string, `${WRAPPER}"$EDGE_ROOT/bin/license.sh" >/dev/null || exit 1\n${after}\n`)

  it('is rejected by its no, with the reason that the vendor gives', async () => {
    const box = await start(VENDOR, true)
    asks(box, '')
    expect((await post(box, GOOD)).status).toBe(200)
    const bad = await post(box, BAD)
    const rejected = { Status: '400 Bad Request', 'Error-Message': 'The license was rejected', 'First-Run': false }
    expect([bad.status, JSON.parse(bad.body)]).toEqual([400, rejected])
    expect(box.app.tasks.latest('license')?.message).toBe('Invalid or missing license file')
    vendor(box, `echo "<html>"; [ -n "$EDGE_CONTRACT" ]`)
    asks(box, 'exit 1')
    expect(JSON.parse((await post(box, OTHER)).body)).toMatchObject({
      'Error-Message': 'The license was rejected',
      'Error-Reason': 'license.sh of this system printed what is not JSON',
    })
    vendor(box, VENDOR)
    expect((await get(box)).body).toBe(GOOD)
  })

  it('is not installed when what fails is something else', async () => {
    const box = await start(VENDOR, true)
    expect((await post(box, GOOD)).status).toBe(200)
    asks(box, 'echo no room for it; exit 1')
    const failed = {
      'Error-Message': 'The license was not installed',
      'Error-Reason': 'wrapper.sh ended with exit status 1: no room for it',
    }
    expect(JSON.parse((await post(box, OTHER)).body)).toMatchObject(failed)
    // Nor is one judged that is not in place.
    writeFileSync(wrappers.get(box) as string, '#!/bin/sh\necho no room for it; exit 1\n')
    expect(JSON.parse((await post(box, BAD)).body)).toMatchObject(failed)
    expect((await get(box)).body).toBe(GOOD)
  })
})

describe('what the vendor prints for GET', () => {
  it.each([
    ['not-json', 'printed what is not JSON'],
    ['[1]', 'printed JSON that is no object'],
    ['{"name":"J\\366rg"}', 'printed bytes that are not UTF-8'],
  ])('is never passed on when it is no object: %s', async (text, why) => {
    const box = await start(`printf '${text}'`)
    const { status, body } = await get(box)
    const words = `There is no valid license: license.sh of this system ${why}`
    expect([status, JSON.parse(body)]).toEqual([404, { Status: '404 Not Found', 'Error-Message': words }])
    await get(box)
    expect(box.warnings.filter((line) => line.includes(why))).toHaveLength(1)
  })

  it('is no license when it is nothing, or comes with a no', async () => {
    const box = await start('exit 0')
    const none = { Status: '404 Not Found', 'Error-Message': 'There is no valid license' }
    expect(JSON.parse((await get(box)).body)).toEqual(none)
    vendor(box, 'echo "{}"; exit 1')
    expect(JSON.parse((await get(box)).body)).toEqual(none)
    expect(box.warnings).toEqual([])
  })

  it.each([
    ['is not executable', '#!/bin/sh\n:\n', 0o644, 'license.sh is not executable'],
    ['was saved on Windows', '#!/bin/sh\r\n:\r\n', 0o755, 'the lines of license.sh end in CR LF'],
    ['names nobody', '#!/no/such/bash\n', 0o755, 'the interpreter of license.sh is not here: /no/such/bash'],
  ])('is named when it cannot be started: it %s', async (_, text, mode, why) => {
    const box = await start()
    expect((await post(box, GOOD)).status).toBe(200)
    const script = join(box.folders.root, 'bin/license.sh')
    writeFileSync(script, text)
    chmodSync(script, mode)
    const said = JSON.parse((await get(box)).body)
    expect(said).toMatchObject({ 'Error-Message': `There is no valid license: ${why}` })
    const { status, body } = await post(box, OTHER)
    expect([status, JSON.parse(body)['Error-Reason']]).toEqual([400, why])
    expect(readFileSync(join(box.folders.root, 'etc/license.asc'), 'utf8')).toBe(GOOD)
  })

  it('is not asked of a folder, or of a link that leads nowhere: then the license is one of our own', async () => {
    const box = await start()
    const script = join(box.folders.root, 'bin/license.sh')
    const { publicKey, privateKey } = generateKeyPairSync('ed25519', {
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    const details = { app: 'box', users: 20, expires: '2199-12-31', name: 'x', contact: 'y' }
    writeFileSync(join(box.folders.root, 'etc/license.pub'), publicKey)
    for (const lay of [() => mkdirSync(script), () => symlinkSync('/no/such/file', script)]) {
      rmSync(script, { recursive: true, force: true })
      lay()
      const posted = await post(box, signLicense(JSON.stringify(details), privateKey))
      expect([posted.status, JSON.parse(posted.body)], posted.body).toMatchObject([200, details])
      const shown = await get(box)
      expect([shown.status, JSON.parse(shown.body)], shown.body).toMatchObject([200, details])
    }
  })
})

describe('license.sh', () => {
  const waiting = `echo asked >>"$EDGE_ROOT/asked"
while [ ! -e "$EDGE_ROOT/go" ]; do sleep 0.1; done
cat "$EDGE_ROOT/etc/license.asc"`

  it('never runs twice at a time, however many ask at once', async () => {
    const box = await start(`mkdir "$EDGE_ROOT/one" || echo twice >>"$EDGE_ROOT/asked"
cat "$EDGE_ROOT/etc/license.asc"
rmdir "$EDGE_ROOT/one"`)
    writeFileSync(join(box.folders.root, 'etc/license.asc'), GOOD)
    const many = await Promise.all(Array.from({ length: 25 }, () => get(box)))
    expect([new Set(many.map(({ body }) => body)), asked(box)]).toEqual([new Set([GOOD]), []])
  })

  it('is not believed about a candidate that came and went while it was asked', async () => {
    const box = await start(waiting)
    const { root } = box.folders
    writeFileSync(join(root, 'etc/license.asc'), GOOD)
    const early = get(box)
    await until('it was started', () => asked(box).length > 0)
    // The vendor is asked about the candidate as well, and says no at once; the first question is still open.
    vendor(box, `echo judged >>"$EDGE_ROOT/asked"; ${VENDOR}`)
    expect((await post(box, BAD)).status).toBe(400)
    const before = asked(box).length
    writeFileSync(join(root, 'go'), '')
    expect((await early).body).toBe(GOOD)
    expect(asked(box).length).toBeGreaterThan(before)
  })

  it('is not asked about the candidate of a task that died before its end', async () => {
    const box = await start(VENDOR, true)
    const { root } = box.folders
    expect((await post(box, GOOD)).status).toBe(200)
    // A wrapper that never comes back: its script is killed while the candidate lies in place.
    writeFileSync(
      wrappers.get(box) as string,
      `${WRAPPER}echo $PPID >"$EDGE_ROOT/pid.new"; mv "$EDGE_ROOT/pid.new" "$EDGE_ROOT/pid"; exec sleep 600\n`,
    )
    const posted = post(box, BAD)
    await until('the candidate is in place', () => existsSync(join(root, 'pid')))
    expect(readFileSync(join(root, 'etc/license.asc'), 'utf8')).toBe(BAD)
    const pid = readFileSync(join(root, 'pid'), 'utf8')
    expect(pid).toMatch(/^\d+\n$/)
    process.kill(Number(pid), 'SIGKILL')
    const [{ status, body }, shown] = await Promise.all([posted, get(box)])
    expect([status, JSON.parse(body)['Error-Message']]).toEqual([400, 'The license was not installed'])
    expect(shown.body).toBe(GOOD)
    rmSync(join(root, 'pid'))
  })
})
