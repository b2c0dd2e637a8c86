// POST /console/first-run: sets the token and the password, and signs in. It is public, so it authorizes callers
// itself, as POST /setup does, and delays a wrong phrase as long.
import { setTimeout as pause } from 'node:timers/promises'
import * as z from 'zod'
import { ApiError, failedPrecondition, tooMany } from '../../errors.ts'
import { completeFirstRun, firstRun, isPhrase } from '../../features/setup/first-run.ts'
import { Password } from '../../features/users/rules.ts'
import { resourceOf } from '../../http/pipeline/audit.ts'
import { JSON_TYPE } from '../../http/reply/reply.ts'
import { define, firstRunNeeds, PREFIX, TAG } from './context.ts'
import { signedIn } from './session.ts'

const PATH = `${PREFIX}/first-run`
const TARGET = PATH.slice(1)
const SET = 'token.update.success'
/** Milliseconds after a wrong phrase, as at POST /setup. */
const PAUSE = 2000

export const doFirstRun = define({
  method: 'POST',
  path: PATH,
  id: 'firstRun',
  action: 'token.update',
  tag: TAG,
  summary: 'Set the API token and the administrator’s password, and sign in',
  permission: 'public',
  body: z.strictObject({
    phrase: z.string().max(1024).optional(),
    token: z.string().max(1024),
    password: Password.optional(),
  }),
  status: 201,
  response: JSON_TYPE,
  errors: [400, 403, 409, 429],
  async handle({ body, address, audit, principal, requestId }, deps) {
    const { tokens, tasks, backOff, mode } = deps
    const needs = firstRunNeeds(deps)
    const wanted = firstRun(needs)
    if (!wanted) throw failedPrecondition('Set-up has been done already')
    const seconds = mode === 'strict' ? backOff.wait(address) : 0
    if (seconds > 0) {
      audit('token.backoff', TARGET)
      throw tooMany('failed attempts', seconds)
    }
    // Typed by a person, from a screen.
    const phrase = wanted.phrase ? body.phrase?.trim() : undefined
    if (wanted.phrase && !isPhrase(tokens, phrase)) {
      if (mode === 'strict') backOff.fail(address)
      audit('token.setup.failed', TARGET)
      await pause(PAUSE)
      throw new ApiError('forbidden', 'This is not the phrase', { details: { field: 'phrase' } })
    }
    const asked = { event: SET, target: TARGET, resource: resourceOf(TARGET), address, request: requestId }
    let attended: (() => void) | undefined
    const user = await completeFirstRun(
      needs,
      { ...body, phrase },
      {
        ...{ name: 'admin', address, entry: { ...asked, actor: 'admin', account: 'token' } },
        waits(id) {
          attended = () => tasks.attended(id)
          audit('token.update', TARGET, undefined, attended)
        },
      },
    )
    backOff.succeed(address)
    audit(SET, TARGET, user ? { id: user.id, name: user.username } : { id: 'token', name: 'admin' }, attended)
    return signedIn(deps, user ?? 'token', principal)
  },
})
