// The contract's iSCSI targets, as data for controller-contract.ts. It is compared with the seed's own text, word by
// word.

const json = (schema: object) => ({ 'application/json': { schema } })
const ref = (name: string) => ({ $ref: `'#/components/schemas/${name}'` })
const response = (name: string) => ({ $ref: `'#/components/responses/${name}'` })
const list = (name: string) => json({ type: 'array', items: ref(name) })
const security = [{ bearerAuth: [] }]
const text = { type: 'string' }
const texts = { type: 'array', items: text }
const flag = { type: 'boolean' }
const whole = { type: 'integer' }
const bytes = { type: 'integer', format: 'int64' }
const anyId = [{ name: 'id', in: 'path', required: true, schema: text }]
const services = ['Storage Services']

export const ISCSI_PATHS = {
  '/api/v1/iscsi/targets': {
    get: {
      tags: services,
      operationId: 'listISCSITargets',
      security,
      responses: { "'200'": { content: list('ISCSITarget') } },
    },
    post: {
      tags: services,
      operationId: 'createISCSITarget',
      security,
      requestBody: {
        required: true,
        content: json({
          type: 'object',
          required: ['iqn'],
          properties: { iqn: text, initiators: texts },
        }),
      },
      responses: { "'201'": { content: json(ref('ISCSITarget')) } },
    },
  },
  '/api/v1/iscsi/targets/{id}': {
    get: {
      tags: services,
      operationId: 'getISCSITarget',
      security,
      parameters: anyId,
      responses: { "'200'": { content: json(ref('ISCSITarget')) }, "'404'": response('NotFound') },
    },
    put: {
      tags: services,
      operationId: 'updateISCSITarget',
      security,
      parameters: anyId,
      requestBody: {
        required: true,
        content: json({ type: 'object', properties: { initiators: texts, enabled: flag } }),
      },
      responses: { "'200'": { content: json(ref('ISCSITarget')) } },
    },
    delete: {
      tags: services,
      operationId: 'deleteISCSITarget',
      security,
      parameters: anyId,
      responses: { "'200'": {}, "'404'": response('NotFound') },
    },
  },
  '/api/v1/iscsi/targets/{id}/luns': {
    post: {
      tags: services,
      operationId: 'addLUN',
      security,
      parameters: anyId,
      requestBody: {
        required: true,
        content: json({ type: 'object', required: ['zvol'], properties: { zvol: text } }),
      },
      responses: {
        "'201'": { content: json(ref('LUN')) },
        "'404'": response('NotFound'),
        "'409'": response('Conflict'),
      },
    },
  },
  '/api/v1/iscsi/targets/{id}/luns/remove': {
    post: {
      tags: services,
      operationId: 'removeLUN',
      security,
      parameters: anyId,
      requestBody: {
        required: true,
        content: json({ type: 'object', required: ['lun_id'], properties: { lun_id: whole } }),
      },
      responses: { "'200'": {}, "'404'": response('NotFound') },
    },
  },
}

export const ISCSI_SCHEMAS = {
  ISCSITarget: {
    type: 'object',
    properties: {
      id: text,
      iqn: text,
      luns: { type: 'array', items: ref('LUN') },
      initiators: texts,
      enabled: flag,
    },
  },
  LUN: { type: 'object', properties: { id: whole, zvol: text, size: bytes, backend: text } },
}
