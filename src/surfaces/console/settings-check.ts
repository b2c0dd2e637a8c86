// POST /console/settings/check: whether POST /settings would accept this document, before the user is asked to confirm.
// Nothing is changed; the rules are those of the settings feature.
import * as z from 'zod'
import { ApiError } from '../../errors.ts'
import { readSettings } from '../../features/settings/settings.ts'
import { JSON_TYPE, json } from '../../http/reply/reply.ts'
import { define, PREFIX, TAG } from './context.ts'

/** The original's message names the member: `Invalid name for option: hostname. Expected a host name`. */
const NAMED = /option: (\w+)/

export const checkSettings = define({
  method: 'POST',
  path: `${PREFIX}/settings/check`,
  id: 'checkSettings',
  action: 'settings.check',
  tag: TAG,
  summary: 'Show whether these settings would be taken',
  permission: 'viewer',
  enabled: ({ endpoints }) => endpoints.includes('settings'),
  body: z.strictObject({ network: z.looseObject({}), app: z.looseObject({}) }),
  response: JSON_TYPE,
  handle({ body }, { mode }) {
    try {
      readSettings(JSON.stringify(body), mode)
    } catch (error) {
      const field = error instanceof ApiError ? NAMED.exec(error.message)?.[1] : undefined
      if (!(error instanceof ApiError) || error.details?.['field'] !== undefined || field === undefined) throw error
      throw new ApiError(error.kind, error.message, { details: { ...error.details, field }, cause: error })
    }
    return json({ message: 'The settings are valid' })
  },
})
