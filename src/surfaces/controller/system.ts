// GET /healthz, GET /openapi.json: open to everyone.
import * as z from 'zod'
import { JSON_TYPE, json, jsonText } from '../../http/reply/reply.ts'
import { define, PREFIX } from './context.ts'

export const healthz = define({
  method: 'GET',
  path: '/healthz',
  id: 'healthz',
  tag: 'System',
  summary: 'Show that the server answers',
  permission: 'public',
  unlimited: true,
  // The contract calls it `ts`, but means the request's id.
  response: z.object({ status: z.literal('ok'), ts: z.string().describe('Request ID for correlation') }),
  handle: ({ requestId }) => json({ status: 'ok', ts: requestId }),
})

export const getOpenapi = define({
  method: 'GET',
  path: `${PREFIX}/openapi.json`,
  id: 'getControllerOpenapi',
  tag: 'System',
  summary: 'The OpenAPI 3.1 document of this surface',
  permission: 'public',
  response: JSON_TYPE,
  handle: (_call, { openapi, rendered }) => rendered.reply('openapi', openapi, (text) => jsonText(text)),
})

export const systemEndpoints = [healthz, getOpenapi]
