// The three ways to authenticate (ZFSSA RESTful API guide, "RESTful API Authentication"). Of several, the session
// counts before Basic, and Basic before the user's name and key: the guide does not say.
import type { IncomingMessage } from 'node:http'
import { type NamedPassword, readBasic } from '../../auth/credentials.ts'
import { invalid } from '../../errors.ts'

export type Proof = { session: string } | { password: NamedPassword | undefined }

const SESSION = 'x-auth-session'
const USER = 'x-auth-user'
const KEY = 'x-auth-key'

/**
 * What the request brings as a proof; undefined if nothing. Throws if a header came more than once: a proxy may have
 * checked the other one.
 */
export function readProof(incoming: IncomingMessage | undefined): Proof | undefined {
  if (!incoming) return undefined
  for (const name of ['authorization', SESSION, USER, KEY])
    if ((incoming.headersDistinct[name]?.length ?? 0) > 1)
      throw invalid(`Expected one ${name} header`, { details: { field: name } })
  const header = (name: string) => incoming.headers[name] as string | undefined
  const session = header(SESSION)
  if (session !== undefined) return { session }
  const authorization = header('authorization')
  if (authorization !== undefined) return { password: readBasic(authorization) }
  const [username, password] = [header(USER), header(KEY)].map(utf8)
  if (username === undefined && password === undefined) return undefined
  return { password: username === undefined || password === undefined ? undefined : { username, password } }
}

/** Node gives the bytes of a header as Latin-1; clients send names and passwords in UTF-8. */
function utf8(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(header, 'latin1'))
  } catch {
    return header
  }
}
