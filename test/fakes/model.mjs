// What the fake programs share: one model of the machine in a JSON file, changed under a kernel lock; the calls made so
// far; faults on demand. A fake knows nothing between two calls but this file, so that it may be killed at any moment,
// as the real one.
import { spawnSync } from 'node:child_process'
import { appendFileSync, closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const EMPTY = { clock: 0, disks: {}, pools: {}, datasets: {}, exported: {}, scrubStep: 34 }

/** The model as it is now. Reading needs no lock: the file is always replaced whole. */
export function readModel(folder) {
  const file = join(folder, 'model.json')
  const model = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : structuredClone(EMPTY)
  // There is no pool `constructor` unless somebody made one.
  for (const member of ['disks', 'pools', 'datasets', 'exported']) Object.setPrototypeOf(model[member], null)
  return model
}

/** Changes the model and gives back what `change` does. When it throws, nothing was changed. */
export function changeModel(folder, change) {
  const lock = openSync(join(folder, 'lock'), 'a')
  try {
    // On a descriptor that both share: the lock is ours once the program is gone, and ends with us.
    const { status } = spawnSync('flock', ['-x', '3'], { stdio: ['ignore', 'ignore', 'ignore', lock] })
    if (status !== 0) throw new Error('the model cannot be locked')
    const model = readModel(folder)
    const result = change(model)
    const file = join(folder, 'model.json')
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(model))
    renameSync(`${file}.${process.pid}`, file)
    return result
  } finally {
    closeSync(lock)
  }
}

/** Every call of a fake in this world: `{program, args}`. */
export function readCalls(folder) {
  const file = join(folder, 'calls')
  return existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    : []
}

// ---- what a fake program is made of

const folder = process.env['EDGE_FAKES'] ?? ''
export const program = basename(process.argv[1] ?? '')

let out = ''
export const print = (line = '') => {
  out += `${line}\n`
}

/** The program's refusal: its words, line by line as they are, and its exit status. */
export class Refusal extends Error {
  constructor(message, status = 1) {
    super(message)
    this.status = status
  }
}
export const refuse = (message, status = 1) => {
  throw new Refusal(message, status)
}
/** A refusal that goes on: the words now, the exit status at the end. */
let late = 0
export const complain = (message, status = 1) => {
  process.stderr.write(`${message}\n`)
  late = status
}
/** An exit status that goes on, without words. */
export const complainLater = (status) => {
  late = status
}

export const look = () => readModel(folder)
export const change = (work) => changeModel(folder, work)

/** The fault that is due with this call: `{program, match?, nth?, when?, stdout?, stderr?, status?, hang?, kill?}`. */
function dueFault(args) {
  const file = join(folder, 'faults.json')
  if (!existsSync(file)) return undefined
  const earlier = readCalls(folder)
  return JSON.parse(readFileSync(file, 'utf8')).find((fault) => {
    const isMeant = (call) =>
      call.program === fault.program && (!fault.match || new RegExp(fault.match).test(call.args.join(' ')))
    if (!isMeant({ program, args })) return false
    return fault.nth === undefined || earlier.slice(fault.since ?? 0).filter(isMeant).length === fault.nth
  })
}

function strike({ hang, kill, stdout, stderr, status = 1 }) {
  if (stdout) process.stdout.write(stdout)
  if (stderr) process.stderr.write(`${stderr}\n`)
  if (kill === 'parent') process.kill(process.ppid, 'SIGKILL')
  if (kill) process.kill(process.pid, 'SIGKILL')
  if (hang) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600_000)
  process.exit(status)
}

/** Runs a fake: notes the call, lets a fault strike before or after the work, prints what it had to say. */
export function fake(work) {
  const args = process.argv.slice(2)
  appendFileSync(join(folder, 'calls'), `${JSON.stringify({ program, args })}\n`)
  const fault = dueFault(args)
  if (fault && fault.when !== 'after') strike(fault)
  try {
    work(args)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    process.stdout.write(out)
    process.stderr.write(error.message === '' ? '' : `${error.message}\n`)
    process.exitCode = error.status
    return
  }
  if (fault) strike(fault)
  process.stdout.write(out)
  process.exitCode = late
}

// ---- small things that both ZFS programs need

/**
 * Options as glibc's getopt reads them: behind operands too, until `--`. `flags` are single letters, one followed by `:` takes a value.
 * The last of a repeated one wins, but all are in `list`.
 */
export function getopt(args, flags, usage) {
  const options = { list: [] }
  const rest = []
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--') return { options, rest: [...rest, ...args.slice(i + 1)] }
    if (!/^-./.test(args[i])) rest.push(args[i])
    else if (readLetters(args[i], args[i + 1], flags, options, usage)) i++
  }
  return { options, rest }
}

/** One word of options; true when it took the next word for its value. */
function readLetters(word, next, flags, options, usage) {
  for (let at = 1; at < word.length; at++) {
    const letter = word[at]
    const place = flags.indexOf(letter)
    if (place < 0 || letter === ':') refuse(`invalid option '${letter}'\n${usage}`, 2)
    if (flags[place + 1] !== ':') {
      options[letter] = true
      continue
    }
    const value = word.slice(at + 1) || next
    if (value === undefined) refuse(`missing argument for '${letter}' option\n${usage}`, 2)
    options[letter] = value
    options.list.push([letter, value])
    return word.length === at + 1
  }
  return false
}

/** `1.50G`, as ZFS writes sizes for people. */
export function nice(bytes) {
  let n = bytes
  let unit = 0
  while (n >= 1024 && unit < 6) {
    n /= 1024
    unit++
  }
  if (unit === 0) return `${n}B`
  const places = Number.isInteger(n) ? 0 : n < 10 ? 2 : n < 100 ? 1 : 0
  return `${n.toFixed(places)}${'BKMGTPE'[unit]}`
}

/** Bytes of `10G`; undefined when ZFS would not take it. */
export function parseSize(text) {
  const found = /^(\d+(?:\.\d+)?)([KMGTPE]?)(?:i?B)?$/i.exec(text)
  if (!found) return undefined
  const bytes = Number(found[1]) * 1024 ** ' KMGTPE'.indexOf((found[2] || ' ').toUpperCase())
  return bytes < 2 ** 64 ? Math.floor(bytes) : undefined
}

/** A time as ctime(3) writes it, in UTC (the fakes' machine is there). */
export function ctime(seconds) {
  const [day, date, month, year, time] = new Date(seconds * 1000).toUTCString().replace(',', '').split(' ')
  return `${day} ${month} ${date.replace(/^0/, ' ')} ${time} ${year}`
}
export const now = () => Math.floor(Date.now() / 1000)
/** A 64-bit number that no JavaScript number could hold, as text. */
export const newGuid = () => String(BigInt(Math.floor(Math.random() * 2 ** 52)) * 4099n + 1n)
