// license.sh: the vendor's script decides about a candidate, and the good licence survives whatever it says. The trap: the vendor reads one
// fixed file, so the old licence is away while the vendor thinks.
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type Faults, faultRow, Sandbox, SHELLS, SWAP_STEPS } from './sandbox.ts'

const open: Sandbox[] = []
const OLD = '{"users":1}\n'
const NEW = '{"users":20}\n'
const VENDOR = 'grep -q "^{" "$EDGE_ROOT/etc/license.asc" || exit 1\ncat "$EDGE_ROOT/etc/license.asc"'

const sandbox = (shell: string, vendor: string | undefined = VENDOR) => {
  const made = new Sandbox(shell)
  open.push(made)
  made.write('root/etc/license.asc', OLD)
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
  test('keeps a licence that the vendor accepts, and what the vendor printed', () => {
    const made = sandbox(shell)
    const ended = made.run('license', { inputs: { 'license.asc': NEW } })
    expect(ended.status.status, ended.log).toBe('completed')
    expect([license(made), made.read(output(ended.task))]).toEqual([NEW, NEW])
    expect(statSync(join(made.root, 'etc/license.asc')).mode & 0o777).toBe(0o640)
    expect(log(made)).toBe('[N][SYSTEM] Updating license. Please wait..\n[N][SYSTEM] Updating license successful\n')
    expect([existsSync(join(ended.task, 'swap')), existsSync(join(ended.task, 'decision'))]).toEqual([false, false])
  })

  test.each([
    ['that the vendor rejects', VENDOR, 'garbage\n'],
    ['for which the vendor prints nothing', 'exit 0', NEW],
    ['for which the vendor prints and then fails', `${VENDOR}\nexit 1`, NEW],
    ['that is empty', VENDOR, ''],
    ['when the vendor left no script', '', NEW],
    ['for which the vendor never stops printing', 'head -c 2000000 /dev/zero', NEW],
  ])('brings back the old licence for one %s', (_, vendor, text) => {
    const made = sandbox(shell, vendor)
    const ended = made.run('license', { inputs: { 'license.asc': text } })
    expect(ended.status).toMatchObject({ status: 'failed', message: 'Invalid or missing license file' })
    expect([license(made), made.read(output(ended.task))]).toEqual([OLD, undefined])
    expect(log(made)).toContain('] Invalid or missing license file\n')
  })

  test('gives a vendor that hangs a limit', ({ skip }) => {
    if (shell !== 'dash') skip('busybox would take its own timeout instead of the fake')
    const made = sandbox(shell, 'sleep 100')
    // The limit itself is the script's; what is shown is that the end of its time is a no.
    made.program(join(made.fake, 'timeout'), '[ "$4" = cat ] || echo "$1 $2 $3" >"$EDGE_ROOT/limit"; exit 137')
    expect(made.run('license', { inputs: { 'license.asc': NEW } }).status.status).toBe('failed')
    expect([license(made), made.read('root/limit')]).toEqual([OLD, '-s KILL 30\n'])
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
  test.each(table.checkpoints.flatMap((name) => [`${name}=error`, `${name}=kill`]))('survives %s', (fault) => {
    expect(faultRow(table, fault)).toEqual([])
  })
})
