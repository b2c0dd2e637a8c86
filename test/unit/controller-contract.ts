// The contract of the controller's accounts and jobs, as data. The seed is YAML that has lost its line ends, so no
// parser reads it; the test flattens this table again and compares it with the seed's own text, word by word, so that
// nothing here is made up.

import { DATASET_PATHS, DATASET_SCHEMAS } from './contract-datasets.ts'
import { ISCSI_PATHS, ISCSI_SCHEMAS } from './contract-iscsi.ts'
import { POOL_PATHS, POOL_SCHEMAS } from './contract-pools.ts'
import { SHARE_PATHS, SHARE_SCHEMAS } from './contract-shares.ts'

const json = (schema: object) => ({ 'application/json': { schema } })
const ref = (name: string) => ({ $ref: `'#/components/schemas/${name}'` })
const response = (name: string) => ({ $ref: `'#/components/responses/${name}'` })
const list = (name: string) => json({ type: 'array', items: ref(name) })
const security = [{ bearerAuth: [] }]
const text = { type: 'string' }
const password = { type: 'string', format: 'password' }
const email = { type: 'string', format: 'email' }
const time = { type: 'string', format: 'date-time' }
const flag = { type: 'boolean' }
const whole = { type: 'integer' }
const userId = [{ $ref: "'#/components/parameters/UserId'" }]
const jobId = [{ name: 'id', in: 'path', required: true, schema: text }]
const tags = ['Users']

/** Paths and methods, without summaries, descriptions and examples. */
export const PATHS = {
  '/api/v1/auth/login': {
    post: {
      tags: ['Authentication'],
      operationId: 'login',
      requestBody: {
        required: true,
        content: json({ type: 'object', required: ['username', 'password'], properties: { username: text, password } }),
      },
      responses: {
        "'200'": {
          content: json({ type: 'object', properties: { token: text, user: ref('User'), expires_in: whole } }),
        },
        "'401'": response('Unauthorized'),
        "'400'": response('BadRequest'),
      },
    },
  },
  '/api/v1/auth/logout': {
    post: {
      tags: ['Authentication'],
      operationId: 'logout',
      security,
      responses: { "'200'": { content: json({ type: 'object', properties: { message: text } }) } },
    },
  },
  '/api/v1/users': {
    get: { tags, operationId: 'listUsers', security, responses: { "'200'": { content: list('User') } } },
    post: {
      tags,
      operationId: 'createUser',
      security,
      requestBody: {
        required: true,
        content: json({
          type: 'object',
          required: ['username', 'password'],
          properties: { username: text, email, password, role: ref('Role') },
        }),
      },
      responses: {
        "'201'": { content: json(ref('User')) },
        "'400'": response('BadRequest'),
        "'401'": response('Unauthorized'),
        "'403'": response('Forbidden'),
        "'409'": response('Conflict'),
      },
    },
  },
  '/api/v1/users/{id}': {
    get: {
      tags,
      operationId: 'getUser',
      security,
      parameters: userId,
      responses: { "'200'": { content: json(ref('User')) }, "'404'": response('NotFound') },
    },
    put: {
      tags,
      operationId: 'updateUser',
      security,
      parameters: userId,
      requestBody: {
        required: true,
        content: json({ type: 'object', properties: { email, role: ref('Role'), active: flag } }),
      },
      responses: { "'200'": { content: json(ref('User')) }, "'404'": response('NotFound') },
    },
    delete: {
      tags,
      operationId: 'deleteUser',
      security,
      parameters: userId,
      responses: { "'200'": {}, "'400'": response('BadRequest'), "'404'": response('NotFound') },
    },
  },
  '/api/v1/jobs': {
    get: {
      tags: ['Jobs'],
      operationId: 'listJobs',
      security,
      parameters: [{ name: 'status', in: 'query', schema: ref('JobStatus') }],
      responses: { "'200'": { content: list('Job') } },
    },
  },
  '/api/v1/jobs/{id}': {
    get: {
      tags: ['Jobs'],
      operationId: 'getJob',
      security,
      parameters: jobId,
      responses: { "'200'": { content: json(ref('Job')) }, "'404'": response('NotFound') },
    },
  },
  '/api/v1/jobs/{id}/cancel': {
    post: {
      tags: ['Jobs'],
      operationId: 'cancelJob',
      security,
      parameters: jobId,
      responses: { "'200'": {}, "'404'": response('NotFound') },
    },
  },
  '/api/v1/audit': {
    get: {
      tags: ['Audit'],
      operationId: 'listAuditLogs',
      security,
      parameters: [
        { name: 'actor', in: 'query', schema: text },
        { name: 'action', in: 'query', schema: text },
        { name: 'resource', in: 'query', schema: text },
        { name: 'limit', in: 'query', schema: { type: 'integer', default: 100 } },
      ],
      responses: { "'200'": { content: list('AuditLog') } },
    },
  },
  ...POOL_PATHS,
  ...ISCSI_PATHS,
  ...SHARE_PATHS,
  ...DATASET_PATHS,
  '/healthz': {
    get: {
      tags: ['System'],
      operationId: 'healthz',
      responses: { "'200'": { content: json({ type: 'object', properties: { status: text, ts: text } }) } },
    },
  },
}

export const PARAMETERS = { UserId: { name: 'id', in: 'path', required: true, schema: text } }

export const SCHEMAS = {
  User: {
    type: 'object',
    properties: {
      id: text,
      username: text,
      email,
      role: ref('Role'),
      active: flag,
      created_at: time,
      updated_at: time,
    },
  },
  Role: { type: 'string', enum: ['administrator', 'operator', 'viewer'] },
  ...DATASET_SCHEMAS,
  Job: {
    type: 'object',
    properties: {
      id: text,
      type: text,
      status: ref('JobStatus'),
      progress: whole,
      message: text,
      error: text,
      created_at: time,
      started_at: time,
      completed_at: time,
    },
  },
  JobStatus: { type: 'string', enum: ['pending', 'running', 'completed', 'failed', 'cancelled'] },
  AuditLog: {
    type: 'object',
    properties: {
      id: text,
      actor: text,
      action: text,
      resource: text,
      result: { type: 'string', enum: ['success', 'failure'] },
      message: text,
      ip: text,
      user_agent: text,
      timestamp: time,
    },
  },
  ...POOL_SCHEMAS,
  ...ISCSI_SCHEMAS,
  ...SHARE_SCHEMAS,
  Error: { type: 'object', properties: { code: text, message: text, details: text } },
}
