// All requests of the page go through here. The credential is in a cookie that no script can read, so a change also
// sends the session's CSRF token; a 401 or 403 may mean that the session has ended.
import type { FieldError } from './kit/place-errors.ts'
import { connection, refreshSession, session } from './session.ts'

/** A refused or failed request, of whichever API. `status` 0: the appliance could not be reached. */
export class Failure extends Error {
  readonly status: number
  readonly code: string
  readonly details: Record<string, unknown>
  /** Which field is wrong and why, as the appliance names it. */
  readonly errors: readonly FieldError[]
  readonly requestId: string | undefined
  /** Seconds to wait before the next attempt, where the appliance says so. */
  readonly retryAfter: number | undefined

  constructor(
    status: number,
    message: string,
    more: {
      code?: string
      details?: Record<string, unknown>
      errors?: readonly FieldError[]
      requestId?: string | undefined
      retryAfter?: number | undefined
    } = {},
  ) {
    super(message)
    this.status = status
    this.code = more.code ?? ''
    this.details = more.details ?? {}
    this.errors = more.errors ?? []
    this.requestId = more.requestId
    this.retryAfter = more.retryAfter
  }
}

export interface Options {
  json?: unknown
  form?: Record<string, string | Blob | undefined>
  /** Sent by a timer, not by a person: it does not keep the session alive. */
  background?: boolean
  headers?: Record<string, string>
  signal?: AbortSignal
}

export interface Answer<T> {
  status: number
  data: T
  headers: Headers
}

/** The code of a request that a person cancelled. */
export const CANCELLED = 'CANCELLED'

const UNREACHABLE = 'The appliance cannot be reached'
/** Without a response, nobody knows whether a change was made; a read changes nothing. */
const unreachable = (method: string, path: string) =>
  new Failure(
    0,
    method === 'GET' || path === '/console/session' || path.includes('dry_run=true')
      ? UNREACHABLE
      : `${UNREACHABLE}. The change may or may not have been made: check before you try again`,
  )

export async function request<T>(method: string, path: string, options: Options = {}): Promise<Answer<T>> {
  const { json, form, signal } = options
  const headers: Record<string, string> = { ...options.headers }
  if (options.background) headers['X-Background'] = '1'
  if (json !== undefined) headers['Content-Type'] = 'application/json'
  const body = json !== undefined ? JSON.stringify(json) : form && formData(form)
  const response = await send(method, path, { headers, ...(signal && { signal }), ...(body !== undefined && { body }) })
  const text = await reached(response.text(), () => unreachable(method, path), signal)
  if (!response.ok) throw refused(response.status, text, (name) => response.headers.get(name))
  return { status: response.status, data: parsed(text) as T, headers: response.headers }
}

/** One request and its response, whatever its status. */
export async function send(
  method: string,
  path: string,
  { headers, ...rest }: { headers?: Record<string, string>; body?: FormData | string; signal?: AbortSignal } = {},
): Promise<Response> {
  return reached(
    fetch(path, {
      method,
      headers: { ...proof(), ...headers },
      credentials: 'same-origin',
      cache: 'no-store',
      ...rest,
    }),
    () => unreachable(method, path),
    rest.signal,
  )
}

/** The browser's own error text would not help a person. */
async function reached<T>(answer: Promise<T>, failure: () => Failure, signal: AbortSignal | undefined): Promise<T> {
  try {
    const value = await answer
    connection.set('up')
    return value
  } catch (error) {
    if (signal?.aborted) throw error
    connection.set('lost')
    throw failure()
  }
}

/** Only the body. */
export const call = async <T>(method: string, path: string, options?: Options): Promise<T> =>
  (await request<T>(method, path, options)).data

/** Bytes that may have been sent since the browser last reported progress. */
const LAST = 1 << 22
const MAYBE_TAKEN =
  'Almost all of it was uploaded, so the appliance may have accepted it: check before you upload it again.'

/** Uploads a form with files and reports progress, which fetch cannot do. */
export function upload<T>(
  path: string,
  form: Record<string, string | Blob | undefined>,
  progress: (sent: number, total: number) => void,
  signal?: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', path)
    for (const [name, value] of Object.entries(proof())) request.setRequestHeader(name, value)
    let mayBeWhole = false
    request.upload.onprogress = ({ loaded, total }) => {
      mayBeWhole = total - loaded <= LAST
      progress(loaded, total)
    }
    request.upload.onload = () => {
      mayBeWhole = true
    }
    request.onload = () => {
      connection.set('up')
      if (request.status < 400) resolve(parsed(request.responseText) as T)
      else reject(refused(request.status, request.responseText, (name) => request.getResponseHeader(name)))
    }
    // A refusal during the upload may close the connection before the response is read.
    request.onerror = () =>
      reject(
        new Failure(
          0,
          'The connection closed before the response: the appliance may have refused the file or accepted it',
        ),
      )
    request.onabort = () =>
      reject(
        new Failure(0, `The upload was cancelled. ${mayBeWhole ? MAYBE_TAKEN : 'Nothing was changed.'}`, {
          code: CANCELLED,
        }),
      )
    // A slow upload may take hours: keep the session alive, so that nobody is signed out in the middle of it.
    const idle = session.get().session?.idle_seconds ?? 60
    const alive = setInterval(() => void call('GET', '/console/session').catch(() => undefined), (idle * 1000) / 3)
    request.onloadend = () => clearInterval(alive)
    signal?.addEventListener('abort', () => request.abort())
    request.send(formData(form))
  })
}

/** Sent with every request: a GET that changes something (the original's reboot) needs it, too. */
const proof = (): Record<string, string> => {
  const csrf = session.get().session?.csrf
  return csrf === undefined ? {} : { 'X-CSRF-Token': csrf }
}

function formData(form: Record<string, string | Blob | undefined>): FormData {
  const data = new FormData()
  for (const [name, value] of Object.entries(form)) if (value !== undefined) data.append(name, value)
  return data
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The cookie has expired, or another tab has signed in again and the token here belongs to the previous session. */
const NOBODY = /^Authentication error$|X-CSRF-Token/

/** `errors: [{field, message}]`, where the appliance sent them. */
function fieldErrors(value: unknown): FieldError[] | undefined {
  if (!Array.isArray(value)) return undefined
  const found = value.filter(
    (one): one is FieldError => typeof one?.field === 'string' && typeof one.message === 'string',
  )
  return found.length > 0 ? found : undefined
}

/** `{code, message, details}` of the other APIs, or `{Status, "Error-Message"}` of the admin API. */
function refused(status: number, text: string, header: (name: string) => string | null): Failure {
  const value = parsed(text)
  const body = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  const message = body['message'] ?? body['Error-Message'] ?? body['Status'] ?? `The appliance answered ${status}`
  // The admin API keeps the original's texts and adds the reason in another member.
  const reason = typeof body['Error-Reason'] === 'string' ? `: ${body['Error-Reason']}` : ''
  const about = body['details']
  const known = session.get().session !== null
  // This status says only that the request was refused; ask the session endpoint whether anybody is still signed in.
  if (known && (status === 401 || (status === 403 && NOBODY.test(String(message))))) void refreshSession()
  return new Failure(status, `${message}${reason}`, {
    code: String(body['code'] ?? body['error-code'] ?? ''),
    // The controller names the field or the object in one string.
    details: typeof about === 'string' ? { field: about } : { ...(about as object | undefined) },
    errors:
      fieldErrors(body['errors']) ?? (typeof about === 'string' ? [{ field: about, message: String(message) }] : []),
    requestId: header('X-Request-Id') ?? undefined,
    retryAfter: Number(header('Retry-After')) || undefined,
  })
}
