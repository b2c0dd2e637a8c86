// POST and GET /certs.
import * as z from 'zod'
import { invalid } from '../../errors.ts'
import { certsStatus, checkCerts, startCerts } from '../../features/certs/certs.ts'
import type { FilePart } from '../../http/endpoint.ts'
import { longPoll, Wait } from '../../http/reply/long-poll.ts'
import { json } from '../../http/reply/reply.ts'
import { begins, define, PREFIX } from './context.ts'
import { Accepted, accepted, fileMissing, literalLines } from './shapes.ts'

const PATH = `${PREFIX}/certs`

const pem = (required: boolean, description: string): FilePart => ({
  kind: 'file',
  required,
  description,
  limit: ({ limits }) => limits.certs,
})

export const postCerts = define({
  method: 'POST',
  path: PATH,
  id: 'postCerts',
  action: 'certs.post',
  tag: 'TLS',
  summary: 'Replace the TLS certificate',
  permission: 'administrator',
  enabled: ({ endpoints }) => endpoints.includes('certs'),
  form: {
    public: pem(true, 'Certificate, PEM; its chain may follow it, in order'),
    private: pem(true, 'Private key, PEM, not encrypted: RSA or ECDSA'),
    ca: pem(false, 'Intermediate or root certificate, PEM'),
  },
  status: 202,
  response: Accepted,
  errors: [409, 413],
  async handle(call, { tasks, folders, config, mode }) {
    const { public: certificate, private: key, ca } = call.files
    if (!certificate) throw fileMissing('public')
    if (!key) throw fileMissing('private')
    if (certificate.size === 0) throw invalid('', { words: 'The file is empty: public' })
    if (key.size === 0) throw invalid('', { words: 'The file is empty: private' })
    const files = { public: certificate.path, private: key.path, ca: ca?.path }
    if (mode === 'strict') checkCerts(folders, config.label, files)
    await startCerts(tasks, files, begins(call, { action: 'certs.post', target: '', path: PATH }))
    call.audit('certs.post', '')
    return accepted('certs')
  },
})

export const getCerts = define({
  method: 'GET',
  path: PATH,
  id: 'getCerts',
  tag: 'TLS',
  summary: 'Show the state of the certificates update',
  permission: 'viewer',
  enabled: ({ endpoints }) => endpoints.includes('certs'),
  query: Wait,
  response: z.object({
    status: z.string().nullable(),
    log: z.string().nullable(),
    'error-message': z.string().optional().describe('why the work could not even begin'),
  }),
  async handle(call, { folders, tasks }) {
    const { status, log, message } = await longPoll(
      {
        read: () => certsStatus(folders, tasks),
        underWay: ({ status }) => status === 'running',
        state: ({ status }) => String(status),
      },
      call,
    )
    return json({ status, log: literalLines(log), ...(message !== undefined && { 'error-message': message }) })
  },
})

export const certsEndpoints = [postCerts, getCerts]
