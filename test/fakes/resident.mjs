// `resident.mjs FOLDER`: one process that answers for every fake program of a test file, since a start of Node for each of their calls would be
// most of what the storage tests cost. A call (install.ts has its program, a few lines of sh) leaves `PID.argv` in FOLDER and writes its PID into
// the pipe `requests`; it gets `PID.answer`, shell that says what the program says and ends as it ends, and a line in `PID.reply`.
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { collect, lastCollected } from './model.mjs'

const folder = process.argv[2]
collect()
const programs = {}
for (const { name } of readdirSync(import.meta.dirname, { withFileTypes: true }).filter((found) => found.isFile())) {
  if (name.includes('.')) continue
  await import(`./${name}`)
  programs[name] = lastCollected()
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`
const REDIRECTION = { stdout: '', stderr: ' >&2' }
function scriptOf({ said, status, hang, kill }) {
  const lines = said.map(([stream, text]) => `printf '%s' ${quoted(text)}${REDIRECTION[stream]}`)
  if (kill === 'parent') lines.push('kill -9 $PPID')
  if (kill) lines.push('kill -9 $$')
  if (hang) lines.push('exec sleep 600')
  return [...lines, `exit ${status}`, ''].join('\n')
}

function answer(call) {
  try {
    const [world, program, ...args] = readFileSync(`${call}.argv`, 'utf8').split('\0').slice(0, -1)
    return programs[program]({ folder: world, program, args, input: () => readFileSync(`${call}.input`, 'utf8') })
  } catch (error) {
    return { said: [['stderr', `${error.stack}\n`]], status: 1 }
  }
}

/** A call whose program was killed meanwhile has nobody at its pipe: it does no work any more. */
function reach(call) {
  try {
    return openSync(`${call}.reply`, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch {
    return undefined
  }
}

function serve(pid) {
  const call = join(folder, pid)
  const reply = reach(call)
  if (reply !== undefined) writeFileSync(`${call}.answer`, scriptOf(answer(call)))
  // Before the program can end, since the next one may have its PID; that one writes over the answer.
  for (const file of ['argv', 'input', 'reply']) rmSync(`${call}.${file}`, { force: true })
  if (reply === undefined) return
  try {
    writeSync(reply, '\n')
  } catch {
    // It was killed while it was served.
  }
  closeSync(reply)
}

// Opened for writing as well, so that it does not end between two calls.
const requests = new Socket({
  fd: openSync(join(folder, 'requests'), constants.O_RDWR | constants.O_NONBLOCK),
  readable: true,
  writable: false,
})
let rest = ''
requests.setEncoding('latin1').on('data', (chunk) => {
  const lines = (rest + chunk).split('\n')
  rest = lines.pop()
  for (const pid of lines) serve(pid)
})
// Its test file holds the other end.
process.stdin.resume().on('close', () => {
  if (existsSync(folder)) rmSync(folder, { recursive: true, force: true })
  process.exit()
})
