// The verdict of the vendor's license.sh on the installed license. The script may hang, print forever, or print invalid
// text, and it must give every caller the same verdict, so there is only one way to start it.
import { accessSync, constants } from 'node:fs'
import { scriptFault } from '../../drivers/first-line.ts'
import { CommandError, createRun, type Run } from '../../drivers/run.ts'
import { errno } from '../../errors.ts'

export type Verdict = (
  | { is: 'valid'; text: string }
  /** It says no, or nothing: clients of the original treat both as no license. */
  | { is: 'none'; why: string }
  /** Its output cannot be used. */
  | { is: 'broken'; why: string }
) & { complaint: string }

const SECONDS = 30
const MOST_BYTES = 1 << 20

/** Its variables, besides PATH and LC_ALL. */
export const VENDOR_VARIABLES = [
  'EDGE_CONTRACT',
  'EDGE_ROOT',
  'EDGE_SYSCONFDIR',
  'EDGE_DATADIR',
  'EDGE_STATEDIR',
  'EDGE_LABEL',
] as const

export interface Vendor {
  /** Default: starts the script and nothing else. */
  run?: Run
  script: string
  environment: Record<string, string>
  /** For a task: the script is ended with it. */
  inSession?: boolean
  /** Milliseconds. */
  limit?: number
}

/**
 * Runs it once. Exit status 0 with a JSON object in UTF-8 is a yes; the texts in `why` are ours and may be shown to
 * anybody.
 */
export async function askVendor({
  script,
  run = createRun((program) => program === script),
  environment,
  inSession,
  limit = SECONDS * 1000,
}: Vendor): Promise<Verdict> {
  const printed: Buffer[] = []
  const onOutput = (chunk: Buffer) => void printed.push(chunk)
  try {
    const { stderr } = await run(script, [], {
      timeout: limit,
      maxBytes: MOST_BYTES,
      foreign: true,
      env: environment,
      onOutput,
      ...(inSession && { inSession }),
    })
    return { ...judge(Buffer.concat(printed)), complaint: stderr }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    return { ...failed(error, script, limit), complaint: error.stderr }
  }
}

function judge(bytes: Buffer) {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return broken('printed bytes that are not UTF-8')
  }
  if (text.trim() === '') return none('printed nothing')
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { is: 'valid', text } as const
  } catch {
    return broken('printed what is not JSON')
  }
  return broken('printed JSON that is no object')
}

function failed({ reason, status }: CommandError, script: string, limit: number) {
  switch (reason) {
    case 'status': {
      // A shell ran a file that the kernel could not execute.
      const fault = status === 126 || status === 127 ? scriptFault(script, NAME) : undefined
      return fault ? ({ is: 'broken', why: fault } as const) : none(`ended with status ${status}`)
    }
    case 'timeout':
      return broken(`did not end within ${limit / 1000} seconds`)
    case 'output':
      return broken(`printed more than ${MOST_BYTES} bytes`)
    case 'signal':
      return broken('was killed')
    default: {
      const fault = isShut(script) ? `${NAME} is not executable` : scriptFault(script, NAME)
      return fault ? ({ is: 'broken', why: fault } as const) : broken('cannot be started')
    }
  }
}

/** In messages the same as for every hook. */
const NAME = 'license.sh'

function isShut(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return false
  } catch (error) {
    return errno(error) === 'EACCES'
  }
}

const none = (what: string) => ({ is: 'none', why: `license.sh of this system ${what}` }) as const
const broken = (what: string) => ({ is: 'broken', why: `license.sh of this system ${what}` }) as const
