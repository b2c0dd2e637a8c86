// JSON answers as the appliance sends them: with the character set named.
import { jsonText, type Reply } from '../../http/reply/reply.ts'

export const json = (value: unknown, status = 200, headers: Record<string, string> = {}): Reply =>
  jsonText(JSON.stringify(value), status, { 'Content-Type': 'application/json; charset=utf-8', ...headers })
