// The contract of pools, as data for controller-contract.ts. Sizes are `int64` there, a format that our schemas name as
// well.

const json = (schema: object) => ({ 'application/json': { schema } })
const ref = (name: string) => ({ $ref: `'#/components/schemas/${name}'` })
const security = [{ bearerAuth: [] }]
const tags = ['ZFS']
const text = { type: 'string' }
const bytes = { type: 'integer', format: 'int64' }
const parameters = [{ name: 'name', in: 'path', required: true, schema: text }]
const lost = { $ref: "'#/components/responses/NotFound'" }
const one = { content: json(ref('Pool')) }

export const POOL_PATHS = {
  '/api/v1/pools': {
    get: {
      tags,
      operationId: 'listPools',
      security,
      responses: { "'200'": { content: json({ type: 'array', items: ref('Pool') }) } },
    },
    post: {
      tags,
      operationId: 'createPool',
      security,
      requestBody: {
        required: true,
        content: json({
          type: 'object',
          required: ['name', 'vdevs'],
          properties: {
            name: text,
            vdevs: { type: 'array', items: text },
            options: { type: 'object', additionalProperties: text },
          },
        }),
      },
      responses: { "'201'": one },
    },
  },
  '/api/v1/pools/{name}': {
    get: { tags, operationId: 'getPool', security, parameters, responses: { "'200'": one, "'404'": lost } },
    delete: { tags, operationId: 'deletePool', security, parameters, responses: { "'200'": {}, "'404'": lost } },
  },
  '/api/v1/pools/{name}/scrub': {
    post: {
      tags,
      operationId: 'scrubPool',
      security,
      parameters,
      responses: { "'200'": { content: json({ type: 'object', properties: { message: text } }) } },
    },
  },
}

export const POOL_SCHEMAS = {
  Pool: {
    type: 'object',
    properties: {
      name: text,
      status: { type: 'string', enum: ['ONLINE', 'DEGRADED', 'FAULTED', 'OFFLINE'] },
      size: bytes,
      allocated: bytes,
      free: bytes,
      health: text,
      created_at: { type: 'string', format: 'date-time' },
    },
  },
}
