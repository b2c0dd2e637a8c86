// The contract of datasets, zvols, snapshots and their policies, as data. The order of the members is the seed's own.

const json = (schema: object) => ({ 'application/json': { schema } })
const ref = (name: string) => ({ $ref: `'#/components/schemas/${name}'` })
const response = (name: string) => ({ $ref: `'#/components/responses/${name}'` })
const list = (name: string) => json({ type: 'array', items: ref(name) })
const security = [{ bearerAuth: [] }]
const text = { type: 'string' }
const time = { type: 'string', format: 'date-time' }
const flag = { type: 'boolean' }
const whole = { type: 'integer' }
const zfs = ['ZFS']
const snapshots = ['Snapshots']
const bytes = { type: 'integer', format: 'int64' }
const options = { type: 'object', additionalProperties: text }
const pathName = (name: string) => [{ name, in: 'path', required: true, schema: text }]
const filter = (name: string) => [{ name, in: 'query', schema: text }]
const ok = (name: string) => ({ content: json(ref(name)) })
const lost = response('NotFound')
const body = (schema: object) => ({ required: true, content: json(schema) })

export const DATASET_PATHS = {
  '/api/v1/datasets': {
    get: {
      tags: zfs,
      operationId: 'listDatasets',
      security,
      parameters: filter('pool'),
      responses: { "'200'": { content: list('Dataset') } },
    },
    post: {
      tags: zfs,
      operationId: 'createDataset',
      security,
      requestBody: body({ type: 'object', required: ['name'], properties: { name: text, options } }),
      responses: { "'201'": ok('Dataset') },
    },
  },
  '/api/v1/datasets/{name}': {
    get: {
      tags: zfs,
      operationId: 'getDataset',
      security,
      parameters: pathName('name'),
      responses: { "'200'": ok('Dataset'), "'404'": lost },
    },
    put: {
      tags: zfs,
      operationId: 'updateDataset',
      security,
      parameters: pathName('name'),
      requestBody: body({ type: 'object', properties: { options } }),
      responses: { "'200'": ok('Dataset') },
    },
    delete: {
      tags: zfs,
      operationId: 'deleteDataset',
      security,
      parameters: pathName('name'),
      responses: { "'200'": {}, "'404'": lost },
    },
  },
  '/api/v1/zvols': {
    get: {
      tags: zfs,
      operationId: 'listZVOLs',
      security,
      parameters: filter('pool'),
      responses: { "'200'": { content: list('ZVOL') } },
    },
    post: {
      tags: zfs,
      operationId: 'createZVOL',
      security,
      requestBody: body({
        type: 'object',
        required: ['name', 'size'],
        properties: { name: text, size: text, options },
      }),
      responses: { "'201'": ok('ZVOL') },
    },
  },
  '/api/v1/zvols/{name}': {
    get: {
      tags: zfs,
      operationId: 'getZVOL',
      security,
      parameters: pathName('name'),
      responses: { "'200'": ok('ZVOL'), "'404'": lost },
    },
    delete: {
      tags: zfs,
      operationId: 'deleteZVOL',
      security,
      parameters: pathName('name'),
      responses: { "'200'": {}, "'404'": lost },
    },
  },
  '/api/v1/snapshots': {
    get: {
      tags: snapshots,
      operationId: 'listSnapshots',
      security,
      parameters: filter('dataset'),
      responses: { "'200'": { content: list('Snapshot') } },
    },
    post: {
      tags: snapshots,
      operationId: 'createSnapshot',
      security,
      requestBody: body({ type: 'object', required: ['dataset', 'name'], properties: { dataset: text, name: text } }),
      responses: { "'201'": ok('Snapshot') },
    },
  },
  '/api/v1/snapshots/{name}': {
    get: {
      tags: snapshots,
      operationId: 'getSnapshot',
      security,
      parameters: pathName('name'),
      responses: { "'200'": ok('Snapshot'), "'404'": lost },
    },
    delete: {
      tags: snapshots,
      operationId: 'deleteSnapshot',
      security,
      parameters: pathName('name'),
      responses: { "'200'": {}, "'404'": lost },
    },
  },
  '/api/v1/snapshot-policies': {
    get: {
      tags: snapshots,
      operationId: 'listSnapshotPolicies',
      security,
      responses: { "'200'": { content: list('SnapshotPolicy') } },
    },
    post: {
      tags: snapshots,
      operationId: 'createSnapshotPolicy',
      security,
      requestBody: body(ref('SnapshotPolicy')),
      responses: { "'201'": ok('SnapshotPolicy') },
    },
  },
  '/api/v1/snapshot-policies/{dataset}': {
    get: {
      tags: snapshots,
      operationId: 'getSnapshotPolicy',
      security,
      parameters: pathName('dataset'),
      responses: { "'200'": ok('SnapshotPolicy'), "'404'": lost },
    },
    put: {
      tags: snapshots,
      operationId: 'updateSnapshotPolicy',
      security,
      parameters: pathName('dataset'),
      requestBody: body(ref('SnapshotPolicy')),
      responses: { "'200'": ok('SnapshotPolicy') },
    },
    delete: {
      tags: snapshots,
      operationId: 'deleteSnapshotPolicy',
      security,
      parameters: pathName('dataset'),
      responses: { "'200'": {}, "'404'": lost },
    },
  },
}

export const DATASET_SCHEMAS = {
  Dataset: {
    type: 'object',
    properties: {
      name: text,
      pool: text,
      type: { type: 'string', enum: ['filesystem', 'volume'] },
      size: bytes,
      used: bytes,
      available: bytes,
      mountpoint: text,
      created_at: time,
    },
  },
  ZVOL: {
    type: 'object',
    properties: { name: text, pool: text, size: bytes, used: bytes, created_at: time },
  },
  Snapshot: {
    type: 'object',
    properties: { name: text, dataset: text, size: bytes, created_at: time },
  },
  SnapshotPolicy: {
    type: 'object',
    properties: {
      dataset: text,
      frequent: whole,
      hourly: whole,
      daily: whole,
      weekly: whole,
      monthly: whole,
      yearly: whole,
      autosnap: flag,
      autoprune: flag,
    },
  },
}
