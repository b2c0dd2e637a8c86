// POST /setup: the first token, or a new one.
import { setTimeout as pause } from 'node:timers/promises'
import { mayAct } from '../../auth/principal.ts'
import { ApiError } from '../../errors.ts'
import { readNewToken } from '../../features/setup/setup.ts'
import type { Call } from '../../http/endpoint.ts'
import type { Asker } from '../../tasks/tasks.ts'
import { type AdminDeps, define, PREFIX, waits } from './context.ts'
import { Done, done } from './shapes.ts'

const PATH = `${PREFIX}/setup`
const TARGET = PATH.slice(1)
const SET = 'token.update.success'
/** Milliseconds after a failed set-up (contract, v1.24.0). */
const PAUSE = 2000

export const setUp = define({
  method: 'POST',
  path: PATH,
  id: 'setUp',
  action: 'token.update',
  tag: 'Setup',
  summary: 'Set or change the API token',
  description:
    'Open while no token is set and first-run is off. Afterwards, and while first-run is pending, it needs the current token or phrase.',
  permission: 'set-up',
  form: {
    newtoken: {
      kind: 'text',
      required: true,
      description: 'The new token: 1 to 255 printable ASCII characters without blanks',
    },
  },
  response: Done,
  errors: [400, 403, 409, 429],
  async handle(call, deps) {
    const { tokens, tasks, setToken } = deps
    if (!call.principal && !(await tokens.staysUnset())) throw await refused(call, deps)
    const token = readNewToken(call.fields['newtoken'])
    const allowed = () => {
      const now = call.authenticateAgain()
      return now !== undefined && mayAct(now, 'administrator')
    }
    let attended: (() => void) | undefined
    const by: Asker = {
      ...waits(call, tasks, { action: SET, target: TARGET, path: PATH }),
      waits(id) {
        attended = () => tasks.attended(id)
        // The audit line of a failed change must not claim success.
        call.audit('token.update', TARGET, undefined, attended)
      },
    }
    if (!(await setToken(token, allowed, by))) throw await refused(call, deps)
    call.audit(SET, TARGET, undefined, attended)
    return done()
  },
})

async function refused(call: Call, { backOff, mode, tokens }: AdminDeps): Promise<ApiError> {
  if (mode === 'strict') backOff.fail(call.address)
  call.audit('token.setup.failed', TARGET)
  await pause(PAUSE)
  return new ApiError('forbidden', '', {
    words: tokens.pending()
      ? 'Expected the phrase that the appliance made, as token or hash'
      : 'The token is set already: expected it as token or hash',
  })
}

export const setupEndpoints = [setUp]
