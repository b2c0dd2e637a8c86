// From the start of the process to its first answer, and what it then occupies: next to the smallest server of the same libraries (hello.ts) on the
// same Node. Round by round, since others use these machines as well; the least is the figure to compare, the median says how busy it was.
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Appliance, BUNDLE, firstAnswer, makeAppliance, NODE, type Served } from './appliance.ts'
import { few, median, report } from './numbers.ts'
import { cpuTime, memory, stop } from './processes.ts'

interface Begun {
  cpu: number
  wall: number
}

async function look({ child, pid, started }: Served): Promise<Begun> {
  const cpu = cpuTime(pid) / 1000
  await stop(child)
  return { cpu, wall: started }
}

const ALL = { controller: { enabled: true }, console: { enabled: true } }
const NONE = { controller: { enabled: false }, console: { enabled: false } }

function configuredAs({ root }: Appliance, name: string, surfaces: object): string[] {
  const file = join(root, `sysconf/${name}.json`)
  writeFileSync(
    file,
    JSON.stringify({ ...JSON.parse(readFileSync(join(root, 'sysconf/edge-admin.json'), 'utf8')), surfaces }),
  )
  return ['--config', file]
}

export async function measureStart(appliance: Appliance, hello: string, folder: string, rounds: number) {
  const [alone, whole] = [configuredAs(appliance, 'alone', NONE), configuredAs(appliance, 'whole', ALL)]
  // A first start makes keys and the first account.
  await stop((await appliance.serve(false, whole)).child)
  const kinds = {
    hello: async () => look(await firstAnswer((port) => [...NODE, hello, String(port)])),
    alone: async () => look(await appliance.serve(false, alone)),
    whole: async () => look(await appliance.serve(false, whole)),
  }
  const names = ['hello', 'alone', 'whole'] as const
  const seen: Record<keyof typeof kinds, Begun[]> = { hello: [], alone: [], whole: [] }
  for (let round = 0; round < rounds; round++) for (const name of names) seen[name].push(await kinds[name]())
  const all = (name: keyof typeof kinds, field: keyof Begun) => seen[name].map((one) => one[field])
  const cpu = (name: keyof typeof kinds) =>
    `${few(Math.min(...all(name, 'cpu')))} ms, median ${few(median(all(name, 'cpu')))}`
  report('start to first answer, CPU: a Hono hello', cpu('hello'))
  for (const [name, what, most] of [
    ['alone', 'admin alone', 1.7],
    ['whole', 'admin, controller and console', 1.9],
  ] as const) {
    const ratio = Math.min(...all(name, 'cpu')) / Math.min(...all('hello', 'cpu'))
    report(`  ${what} ÷ hello`, `${few(ratio)}x (${cpu(name)})`, `<= ${most}x`, ratio <= most)
  }
  report('  wall ms: admin alone, all, hello', names.map((name) => few(median(all(name, 'wall')))).join(' / '))
  await measureRest(hello, folder)
  await measureLoaded(appliance, alone, whole, folder)
}

/**
 * Milliseconds until a server that nobody asks is at rest: it has loaded and checked what it does beside the first
 * requests, and its heap was collected (src/cli/heap.ts). V8 returns the emptied pages eight seconds after that.
 */
const REST = 30_000
const AT_ONCE = 3

/** Memory does not depend on how busy the machine is: all of them side by side. */
async function measureRest(hello: string, folder: string): Promise<void> {
  const ours = async (name: string, surfaces: object) => {
    const appliance = await makeAppliance(join(folder, `rest-${name}`))
    const options = configuredAs(appliance, 'rest', surfaces)
    // A first start makes keys and the first account.
    await stop((await appliance.serve(false, options)).child)
    return appliance.serve(false, options)
  }
  const seen: Record<'hello' | 'alone' | 'whole', Served[]> = { hello: [], alone: [], whole: [] }
  for (let i = 0; i < AT_ONCE; i++) {
    seen.hello.push(await firstAnswer((port) => [...NODE, hello, String(port)]))
    seen.alone.push(await ours(`alone-${i}`, NONE))
    seen.whole.push(await ours(`whole-${i}`, ALL))
  }
  await new Promise((resolve) => setTimeout(resolve, REST))
  const of = (name: keyof typeof seen, line: 'VmRSS' | 'VmHWM') =>
    median(seen[name].map(({ pid }) => memory(pid, line)))
  const version = execFileSync(NODE[0] ?? '', ['--version'], { encoding: 'utf8' })
  const isTwenty = version.startsWith('v20.')
  const most = isTwenty ? 64 : of('hello', 'VmRSS') + 11
  for (const [name, what] of [
    ['alone', 'admin alone'],
    ['whole', 'all three'],
  ] as const) {
    const resident = of(name, 'VmRSS')
    report(
      `idle RSS, MB: ${what} (hello)`,
      `${few(resident)} (${few(of('hello', 'VmRSS'))})`,
      isTwenty ? '<= 64' : '<= hello + 11',
      resident <= most,
    )
    report('  most it had until then', `${few(of(name, 'VmHWM'))} (${few(of('hello', 'VmHWM'))})`)
  }
  for (const { child } of Object.values(seen).flat()) await stop(child)
}

/** Notes each file of ours as Node loads it. */
const NOTE = `import { appendFileSync } from 'node:fs'
export async function load(url, context, next) {
  if (url.startsWith('file:')) appendFileSync(process.env.LOADED, url + '\\n')
  return next(url, context)
}`
const REGISTER = `import { register } from 'node:module'\nregister(${JSON.stringify(dataUrl(NOTE))})`
function dataUrl(text: string): string {
  return `data:text/javascript,${encodeURIComponent(text)}`
}

/** The files of the program that were loaded when the first answer came. */
async function loadedBy(appliance: Appliance, options: string[], folder: string): Promise<string[]> {
  const notes = join(folder, 'loaded')
  writeFileSync(notes, '')
  const { child } = await appliance.serve(false, options, ['--import', dataUrl(REGISTER)], { LOADED: notes })
  const text = readFileSync(notes, 'utf8')
  await stop(child)
  rmSync(notes)
  return text
    .split('\n')
    .filter(Boolean)
    .map((url) => fileURLToPath(url))
    .filter((file) => file.startsWith(dirname(BUNDLE)))
}

async function measureLoaded(appliance: Appliance, alone: string[], whole: string[], folder: string) {
  const size = (files: string[]) => files.reduce((sum, file) => sum + statSync(file).size, 0) / 1000
  const [few3, all3] = [await loadedBy(appliance, alone, folder), await loadedBy(appliance, whole, folder)]
  report(
    'loaded at first answer, admin alone',
    `${few(size(few3))} KB, ${few3.length} files`,
    '<= 300 KB',
    size(few3) <= 300,
  )
  report('  with controller and console', `${few(size(all3))} KB, ${all3.length} files`, '<= 480 KB', size(all3) <= 480)
  const more = few3.filter((file) => /(controller|console|surfaces|endpoints)\.js$/.test(file))
  report('  of surfaces that are off', `${more.length} files`, '0', more.length === 0)
}
