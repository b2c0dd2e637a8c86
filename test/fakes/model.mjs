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

/** The call that is under way: who asked for what, and what was said so far. A process serves one after the other. */
let call = { folder: process.env['EDGE_FAKES'] ?? '' }

const say = (stream, text) => {
  if (text !== '') call.said.push([stream, text])
}
export const print = (line = '') => {
  call.out += `${line}\n`
}
/** To standard error, before everything that was printed. */
export const writeErr = (text) => say('stderr', text)
/** Goes out at once, before what was printed. */
export const writeOut = (text) => say('stdout', text)
/** What stands on standard input. */
export const input = () => call.input()
/** The folder of the world that this call is about. */
export const worldOf = () => call.folder

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
export const complain = (message, status = 1) => {
  writeErr(`${message}\n`)
  call.status = status
}
/** An exit status that goes on, without words. */
export const complainLater = (status) => {
  call.status = status
}

export const look = () => readModel(call.folder)
export const change = (work) => changeModel(call.folder, work)

/** The fault that is due with this call: `{program, match?, nth?, when?, stdout?, stderr?, status?, hang?, kill?}`. */
function dueFault({ folder, program, args }) {
  const file = join(folder, 'faults.json')
  if (!existsSync(file)) return undefined
  const earlier = readCalls(folder)
  return JSON.parse(readFileSync(file, 'utf8')).find((fault) => {
    const isMeant = (one) =>
      one.program === fault.program && (!fault.match || new RegExp(fault.match).test(one.args.join(' ')))
    if (!isMeant({ program, args })) return false
    return fault.nth === undefined || earlier.slice(fault.since ?? 0).filter(isMeant).length === fault.nth
  })
}

/** Ends the call here, in the way of a fault. */
class Struck extends Error {
  constructor({ hang, kill, status = 1 }) {
    super('a fault struck')
    this.ending = { hang, kill, status }
  }
}
export const strike = (fault) => {
  throw new Struck(fault)
}
function strikeAloud(fault) {
  writeOut(fault.stdout ?? '')
  writeErr(fault.stderr ? `${fault.stderr}\n` : '')
  strike(fault)
}

/**
 * One call of a fake: it is noted, a fault may strike before or after the work. Gives back what was said, in order, and the ending:
 * a status, or how the program dies or hangs.
 */
function perform(work, asked) {
  call = { ...asked, out: '', said: [], status: 0 }
  const { folder, program, args } = asked
  appendFileSync(join(folder, 'calls'), `${JSON.stringify({ program, args })}\n`)
  const fault = dueFault(asked)
  try {
    if (fault && fault.when !== 'after') strikeAloud(fault)
    work(args)
    if (fault) strikeAloud(fault)
    writeOut(call.out)
    return { said: call.said, status: call.status }
  } catch (error) {
    if (error instanceof Struck) return { said: call.said, ...error.ending }
    if (!(error instanceof Refusal)) throw error
    writeOut(call.out)
    writeErr(error.message === '' ? '' : `${error.message}\n`)
    return { said: call.said, status: error.status }
  }
}

/** Set by resident.mjs, which then answers the calls; else this process is the program, and makes one call. */
let collected
export const collect = () => {
  collected = []
}
/** The fake that was loaded last, as a function of `{folder, program, args, input}`. */
export const lastCollected = () => collected.at(-1)

/** Makes a fake program of its work. */
export function fake(work) {
  if (collected) {
    collected.push((asked) => perform(work, asked))
    return
  }
  const { said, status, hang, kill } = perform(work, {
    folder: call.folder,
    program: basename(process.argv[1] ?? ''),
    args: process.argv.slice(2),
    input: () => readFileSync(0, 'utf8'),
  })
  for (const [stream, text] of said) process[stream].write(text)
  if (kill === 'parent') process.kill(process.ppid, 'SIGKILL')
  if (kill) process.kill(process.pid, 'SIGKILL')
  if (hang) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600_000)
  process.exitCode = status
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
