// Every request of the page. The trap: the credential is in a cookie that no script can read, so a change proves itself with the session's
// CSRF token, and what answers "not known" means that the session has ended.
import type { FieldError } from './kit/place-errors.ts'
import { connection, refreshSession, session } from './session.ts'

/** What a refusal says, whichever surface it came from. `status` 0: the appliance could not be reached. */
export class Failure extends Error {
  readonly status: number
  readonly code: string
  readonly details: Record<string, unknown>
  /** What is wrong with which field, as the appliance names it. */
  readonly errors: readonly FieldError[]
  readonly requestId: string | undefined
  /** Seconds until it may be asked again, where the appliance says so. */
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
  /** Asked by a clock, not by a person: it does not keep the session alive. */
  background?: boolean
  headers?: Record<string, string>
  signal?: AbortSignal
}

export interface Answer<T> {
  status: number
  data: T
  headers: Headers
}

/** The code of what a person stopped. */
export const CANCELLED = 'CANCELLED'

const UNREACHABLE = 'The appliance cannot be reached'
/** Of a change that got no answer nobody here knows whether it was made; only a question leaves everything as it was. */
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

/** One request and its answer, whatever its status. */
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

/** What the network says of a failure is nothing that a person can act on. */
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

/** The body alone. */
export const call = async <T>(method: string, path: string, options?: Options): Promise<T> =>
  (await request<T>(method, path, options)).data

/** Bytes that may have gone since the browser last said how many had. */
const LAST = 1 << 22
const MAYBE_TAKEN =
  'Almost all of it was uploaded, so the appliance may have accepted it: check before you upload it again.'

/** A form with files, which tells how much of it has gone; fetch cannot. */
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
    // A refusal in the midst of a body may end the connection before its answer is read.
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
    // Hours of a slow line are no idleness: whoever waits for an upload shall not be signed out in the midst of it.
    const idle = session.get().session?.idle_seconds ?? 60
    const alive = setInterval(() => void call('GET', '/console/session').catch(() => undefined), (idle * 1000) / 3)
    request.onloadend = () => clearInterval(alive)
    signal?.addEventListener('abort', () => request.abort())
    request.send(formData(form))
  })
}

/** With every request: a GET that changes something (the original's reboot) needs it too. */
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

/** The cookie is over, or another tab has signed in anew and this one's header belongs to the session before. */
const NOBODY = /^Authentication error$|X-CSRF-Token/

/** `errors: [{field, message}]`, where the appliance sent them. */
function fieldErrors(value: unknown): FieldError[] | undefined {
  if (!Array.isArray(value)) return undefined
  const found = value.filter(
    (one): one is FieldError => typeof one?.field === 'string' && typeof one.message === 'string',
  )
  return found.length > 0 ? found : undefined
}

/** `{code, message, details}` of our own surfaces, or the admin surface's `{Status, "Error-Message"}`. */
function refused(status: number, text: string, header: (name: string) => string | null): Failure {
  const value = parsed(text)
  const body = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  const message = body['message'] ?? body['Error-Message'] ?? body['Status'] ?? `The appliance answered ${status}`
  // The admin surface keeps the original's words and has the reason beside them.
  const reason = typeof body['Error-Reason'] === 'string' ? `: ${body['Error-Reason']}` : ''
  const about = body['details']
  const known = session.get().session !== null
  // Not whether this request may pass, but whether anybody is signed in: only the session itself tells.
  if (known && (status === 401 || (status === 403 && NOBODY.test(String(message))))) void refreshSession()
  return new Failure(status, `${message}${reason}`, {
    code: String(body['code'] ?? body['error-code'] ?? ''),
    // The controller names the field or the object that it is about in one string.
    details: typeof about === 'string' ? { field: about } : { ...(about as object | undefined) },
    errors:
      fieldErrors(body['errors']) ?? (typeof about === 'string' ? [{ field: about, message: String(message) }] : []),
    requestId: header('X-Request-Id') ?? undefined,
    retryAfter: Number(header('Retry-After')) || undefined,
  })
}
