// The contract of SMB shares and NFS exports, as data for controller-contract.ts. The members called `description` are
// not here; the test cannot tell them from the seed's words for people.

const json = (schema: object) => ({ 'application/json': { schema } })
const ref = (name: string) => ({ $ref: `'#/components/schemas/${name}'` })
const security = [{ bearerAuth: [] }]
const tags = ['Storage Services']
const text = { type: 'string' }
const texts = { type: 'array', items: text }
const flag = { type: 'boolean' }
const no = { type: 'boolean', default: false }
const yes = { type: 'boolean', default: true }
const parameters = [{ name: 'id', in: 'path', required: true, schema: text }]
const lost = { $ref: "'#/components/responses/NotFound'" }

function resource(noun: 'SMBShare' | 'NFSExport', { create, update }: { create: object; update: object }) {
  const body = (schema: object) => ({ required: true, content: json({ type: 'object', ...schema }) })
  const one = { content: json(ref(noun)) }
  const list = { content: json({ type: 'array', items: ref(noun) }) }
  return {
    all: {
      get: { tags, operationId: `list${noun}s`, security, responses: { "'200'": list } },
      post: {
        tags,
        operationId: `create${noun}`,
        security,
        requestBody: body(create),
        responses: { "'201'": one },
      },
    },
    one: {
      get: { tags, operationId: `get${noun}`, security, parameters, responses: { "'200'": one, "'404'": lost } },
      put: {
        tags,
        operationId: `update${noun}`,
        security,
        parameters,
        requestBody: body({ properties: update }),
        responses: { "'200'": one },
      },
      delete: { tags, operationId: `delete${noun}`, security, parameters, responses: { "'200'": {}, "'404'": lost } },
    },
  }
}

const smb = resource('SMBShare', {
  create: {
    required: ['name', 'dataset'],
    properties: { name: text, path: text, dataset: text, read_only: no, guest_ok: no, valid_users: texts },
  },
  update: { read_only: flag, guest_ok: flag, enabled: flag, valid_users: texts },
})
const nfs = resource('NFSExport', {
  create: {
    required: ['dataset'],
    properties: { path: text, dataset: text, clients: texts, read_only: no, root_squash: yes },
  },
  update: { clients: texts, read_only: flag, root_squash: flag, enabled: flag },
})

export const SHARE_PATHS = {
  '/api/v1/shares/smb': smb.all,
  '/api/v1/shares/smb/{id}': smb.one,
  '/api/v1/exports/nfs': nfs.all,
  '/api/v1/exports/nfs/{id}': nfs.one,
}

export const SHARE_SCHEMAS = {
  SMBShare: {
    type: 'object',
    properties: {
      id: text,
      name: text,
      path: text,
      dataset: text,
      read_only: flag,
      guest_ok: flag,
      valid_users: texts,
      enabled: flag,
    },
  },
  NFSExport: {
    type: 'object',
    properties: {
      id: text,
      path: text,
      dataset: text,
      clients: texts,
      read_only: flag,
      root_squash: flag,
      enabled: flag,
    },
  },
}
