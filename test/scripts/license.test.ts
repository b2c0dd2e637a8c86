// license.sh: the vendor's script decides about a candidate, and the good license survives whatever it says. The vendor
// reads one fixed file, so the old license is away while the vendor thinks.
import { chmodSync, chownSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect } from 'vitest'
import { faultsIn, inTurn } from './pairwise.ts'
import { type Faults, faultRow, isRoot, Sandbox, SHELLS, SWAP_STEPS } from './sandbox.ts'

const open: Sandbox[] = []
const OLD = '{"users":1}\n'
const NEW = '{"users":20}\n'
const VENDOR = 'grep -q "^{" "$EDGE_ROOT/etc/license.asc" || exit 1\ncat "$EDGE_ROOT/etc/license.asc"'

const sandbox = (shell: string, vendor: string | undefined = VENDOR) => {
  const made = new Sandbox(shell)
  open.push(made)
  made.write('root/etc/license.asc', OLD)
  chmodSync(join(made.root, 'etc/license.asc'), 0o604)
  if (vendor !== '') made.hook('license', vendor)
  return made
}
afterEach(() => {
  for (const made of open.splice(0)) made.remove()
})
const license = (made: Sandbox) => made.read('root/etc/license.asc')
const log = (made: Sandbox) => made.read('root/log/update_license.log')?.replace(/\[\d+\]/g, '[N]')
const output = (task: string) => task.replace(/.*\/state\//, 'state/').concat('/output.json')

describe.each(SHELLS)('license.sh under %s', (shell) => {
  const test = inTurn(shell)
  test('keeps a license that the vendor accepts, and what the vendor printed', () => {
    const made = sandbox(shell)
    const ended = made.run('license', { inputs: { 'license.asc': NEW } })
    expect(ended.status.status, ended.log).toBe('completed')
    expect([license(made), made.read(output(ended.task))]).toEqual([NEW, NEW])
    expect(statSync(join(made.root, 'etc/license.asc')).mode & 0o777).toBe(0o604)
    expect(log(made)).toBe('[N][SYSTEM] Updating license. Please wait..\n[N][SYSTEM] Updating license successful\n')
    expect([existsSync(join(ended.task, 'swap')), existsSync(join(ended.task, 'decision'))]).toEqual([false, false])
  })

  test.each([
    ['that the vendor rejects', VENDOR, 'garbage\n'],
    ['for which the vendor prints nothing', 'exit 0', NEW],
    ['for which the vendor prints and then fails', `${VENDOR}\nexit 1`, NEW],
    ['that is empty', VENDOR, ''],
    ['when the vendor left no script', '', NEW],
  ])('brings back the old license for one %s', (_, vendor, text) => {
    const made = sandbox(shell, vendor)
    const ended = made.run('license', { inputs: { 'license.asc': text } })
    expect(ended.status).toMatchObject({ status: 'failed', message: 'Invalid or missing license file' })
    expect([license(made), made.read(output(ended.task))]).toEqual([OLD, undefined])
    expect(log(made)).toContain('] Invalid or missing license file\n')
  })

  test.each([
    ['prints no JSON', 'echo yes', 'printed what is not JSON'],
    ['prints JSON that is no object', 'echo "[]"', 'printed JSON that is no object'],
    ['prints bytes that are no text', `printf '{"a":"\\377"}'`, 'printed bytes that are not UTF-8'],
    ['never stops printing', 'head -c 2000000 /dev/zero', 'printed more than 1048576 bytes'],
  ])('brings back the old license, and says why, when the vendor %s', (_, vendor, why) => {
    const made = sandbox(shell, vendor)
    const ended = made.run('license', { inputs: { 'license.asc': NEW } })
    expect(ended.status).toMatchObject({ status: 'failed', message: `license.sh of this system ${why}` })
    expect([license(made), made.read(output(ended.task))]).toEqual([OLD, undefined])
    expect(log(made)).toContain('] Invalid or missing license file\n')
  })

  test('says so when nobody could be asked', () => {
    const made = sandbox(shell)
    made.program(
      join(made.scripts, 'edge-admin'),
      `[ "$1" != judge ] || exit 1\nexec node "${made.folder}/edge-admin.mjs" "$@"`,
    )
    const ended = made.run('license', { inputs: { 'license.asc': NEW } })
    expect(ended.status).toMatchObject({ status: 'failed', message: 'The license could not be checked' })
    expect(license(made)).toBe(OLD)
  })

  const table: Faults = {
    kind: 'license',
    checkpoints: ['license-started', 'license-placed', 'license-decided', ...SWAP_STEPS],
    inputs: { 'license.asc': NEW },
    make: () => {
      const made = new Sandbox(shell)
      made.write('root/etc/license.asc', OLD)
      made.hook('license', VENDOR)
      return made
    },
    look: license,
  }
  test.both.each(faultsIn(shell, table.checkpoints))('survives %s=%s', (name, fault) => {
    expect(faultRow(table, `${name}=${fault}`)).toEqual([])
  })
})

/** The original's bin/wrapper.sh, as far as a license goes: it moves the file from the uploads into place and asks nobody. */
const WRAPPER = `[ "$SSH_ORIGINAL_COMMAND" = license ] || exit 1
up=$EDGE_ROOT/home/sftp/uploads/license.asc
[ -s "$up" ] || exit 1
`
const PLACES = {
  moves: 'mv -f "$up" "$EDGE_ROOT/etc/license.asc"; chmod 640 "$EDGE_ROOT/etc/license.asc"',
  'writes over the old one': 'cat "$up" >"$EDGE_ROOT/etc/license.asc" && rm -f "$up"',
}

describe.each(SHELLS)('a license through the original wrapper under %s', (shell) => {
  const test = inTurn(shell)
  const wrapped = (place = PLACES.moves, vendor = VENDOR, old: string | null = OLD) => {
    const made = sandbox(shell, vendor)
    const file = join(made.root, 'etc/license.asc')
    if (old === null) rmSync(file)
    else {
      chmodSync(file, 0o604)
      if (isRoot) chownSync(file, 1234, 2345)
    }
    made.program(join(made.root, 'bin/wrapper.sh'), `${WRAPPER}${place}`)
    return made
  }
  const through = (made: Sandbox, text: string, fault?: string) =>
    made.run('wrapper', {
      args: ['license'],
      inputs: { 'license.asc': text },
      env: { EDGE_WRAPPER: join(made.root, 'bin/wrapper.sh') },
      ...(fault && { fault }),
    })
  const owner = (made: Sandbox) => {
    const { mode, uid, gid } = statSync(join(made.root, 'etc/license.asc'))
    return [mode & 0o777, ...(isRoot ? [uid, gid] : [1234, 2345])]
  }
  const uploads = (made: Sandbox) => readdirSync(join(made.root, 'home/sftp/uploads'))

  test.each(Object.entries(PLACES))('that %s, is kept when the vendor accepts it', (_, place) => {
    const made = wrapped(place)
    const ended = through(made, NEW)
    expect(ended.status.status, ended.log).toBe('completed')
    expect([license(made), made.read(output(ended.task))]).toEqual([NEW, NEW])
    expect([existsSync(join(ended.task, 'swap')), uploads(made)]).toEqual([false, []])
  })

  test.each(
    Object.entries(PLACES).flatMap(([how, place]) => [
      [how, 'is no license', place, VENDOR, 'garbage\n', 'Invalid or missing license file'],
      [
        how,
        'makes the vendor print no JSON',
        place,
        'echo yes',
        NEW,
        'license.sh of this system printed what is not JSON',
      ],
    ]) as [string, string, string, string, string, string][],
  )(
    'that %s, and %s, is taken away, and the old one is in place as it was',
    (_how, _what, place, vendor, text, message) => {
      const made = wrapped(place, vendor)
      const ended = through(made, text)
      expect(ended.status).toMatchObject({ status: 'failed', message })
      expect([license(made), made.read(output(ended.task)), owner(made)]).toEqual([OLD, undefined, [0o604, 1234, 2345]])
      expect(uploads(made)).toEqual([])
    },
  )

  test('that is the first one, and no good, leaves nothing', () => {
    const made = wrapped(PLACES.moves, VENDOR, null)
    expect(through(made, 'garbage\n').status.status).toBe('failed')
    expect(license(made)).toBeUndefined()
  })

  test('that the wrapper itself spoils and refuses, leaves the old one', () => {
    const made = wrapped('echo half >"$EDGE_ROOT/etc/license.asc"; exit 1')
    expect(through(made, NEW).status).toMatchObject({
      status: 'failed',
      message: 'wrapper.sh ended with exit status 1',
    })
    expect([license(made), owner(made)]).toEqual([OLD, [0o604, 1234, 2345]])
  })

  const STEPS = ['wrapper-placed', 'swap-saved', 'swap-kept', 'wrapper-returned', 'license-decided']
  test.each(STEPS)('leaves the old one after a kill at %s, and the next one comes in', (step) => {
    const made = wrapped(PLACES['writes over the old one'])
    const env = { EDGE_WRAPPER: join(made.root, 'bin/wrapper.sh') }
    const broken = through(made, NEW, `${step}=kill`)
    for (const look of ['first', 'second']) {
      expect([look, made.recover('wrapper', broken.task, ['license'], env).status.status]).toEqual([
        look,
        'interrupted',
      ])
      expect([license(made), owner(made), uploads(made)]).toEqual([OLD, [0o604, 1234, 2345], []])
    }
    expect(through(made, NEW).status.status).toBe('completed')
    expect(license(made)).toBe(NEW)
  })

  test.each(['swap-kept', 'wrapper-returned', 'license-decided'])('leaves the old one after an error at %s', (step) => {
    const made = wrapped(PLACES['writes over the old one'])
    expect(through(made, NEW, `${step}=error`).status.status).toBe('failed')
    expect([license(made), owner(made), uploads(made)]).toEqual([OLD, [0o604, 1234, 2345], []])
  })

  test('is put back when the original brought it in after its task was killed', () => {
    const made = wrapped(`echo half >"$EDGE_ROOT/etc/license.asc"; kill -9 $PPID; sleep 0.2; ${PLACES.moves}`)
    const broken = through(made, NEW)
    const env = { EDGE_WRAPPER: join(made.root, 'bin/wrapper.sh') }
    expect(made.recover('wrapper', broken.task, ['license'], env).status.status).toBe('interrupted')
    expect([license(made), uploads(made)]).toEqual([OLD, []])
  })
})
