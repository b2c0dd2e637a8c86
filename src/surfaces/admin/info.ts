// GET /version, /changelog, /build, /build/sbom, /health, /services, /endpoints, /openapi.json.
import { join } from 'node:path'
import * as z from 'zod'
import { notFound, raise } from '../../errors.ts'
import { listServices, whyUnknown } from '../../features/services/services.ts'
import { billOfMaterials } from '../../folders.ts'
import { editedJson, editedReply, fileReply } from '../../http/reply/files.ts'
import { JSON_TYPE, json, jsonText, TEXT_TYPE } from '../../http/reply/reply.ts'
import { define, PREFIX } from './context.ts'

const FRESH = { 'Cache-Control': 'no-cache' }
const Use = z
  .object({ used: z.string(), total: z.string(), percentage: z.number().describe('percent') })
  .meta({ id: 'Use' })

/** The original sends a file byte for byte, including a byte order mark, which a client's JSON parser rejects. */
const written = (mode: 'strict' | 'original') => (mode === 'strict' ? editedReply : fileReply)
const writtenJson = (mode: 'strict' | 'original') => (mode === 'strict' ? editedJson : fileReply)

export const getVersion = define({
  method: 'GET',
  path: `${PREFIX}/version`,
  id: 'getVersion',
  tag: 'Information',
  summary: 'Show the system’s version',
  permission: 'viewer',
  response: z.object({ version: z.string() }),
  errors: [404],
  handle: (_call, { installedVersion }) =>
    json({ version: installedVersion.get() || raise(notFound('', { words: 'This system has no version' })) }),
})

export const getChangelog = define({
  method: 'GET',
  path: `${PREFIX}/changelog`,
  id: 'getChangelog',
  tag: 'Information',
  summary: 'Read the system’s changelog since the last update',
  permission: 'viewer',
  response: TEXT_TYPE,
  errors: [404],
  handle: (_call, { folders, mode }) =>
    written(mode)(join(folders.root, 'etc'), 'changelog.txt', { 'Content-Type': TEXT_TYPE, ...FRESH }),
})

const CYCLONEDX = 'application/vnd.cyclonedx+json'
const BILL = `${PREFIX}/build/sbom`

export const getBuild = define({
  method: 'GET',
  path: `${PREFIX}/build`,
  id: 'getBuild',
  tag: 'Information',
  summary: 'Show what this build is made of',
  description: `The vendor’s build.json as it is. The header \`Link\` leads to the software bill of materials of Edge Admin (\`${BILL}\`).`,
  permission: 'viewer',
  response: JSON_TYPE,
  errors: [404],
  // In a header, not as a member: clients are promised the vendor's file unchanged, which need not even be an object.
  // But it is JSON.
  handle: (_call, { folders, mode }) =>
    writtenJson(mode)(folders.sysconf, 'build.json', {
      'Content-Type': JSON_TYPE,
      ...FRESH,
      ...(mode === 'strict' && { Link: `<${BILL}>; rel="describedby"; type="${CYCLONEDX}"` }),
    }),
})

export const getSbom = define({
  method: 'GET',
  path: BILL,
  id: 'getSbom',
  tag: 'Information',
  summary: 'Read the software bill of materials of Edge Admin',
  description: 'CycloneDX 1.5: what of others is in it, with versions, licenses and digests.',
  permission: 'viewer',
  response: CYCLONEDX,
  errors: [404],
  handle: () =>
    fileReply(billOfMaterials(), 'sbom.json', {
      'Content-Type': `${CYCLONEDX}; version=1.5`,
      'Content-Disposition': 'attachment; filename="edge-admin.cdx.json"',
      ...FRESH,
    }),
})

export const getHealth = define({
  method: 'GET',
  path: `${PREFIX}/health`,
  id: 'getHealth',
  tag: 'Information',
  summary: 'Show disk, memory and processor use',
  permission: 'viewer',
  response: z.looseObject({
    disk: Use,
    memory: Use,
    cpu: z.object({ num: z.int(), load: z.string(), cpu5min: z.number() }),
  }),
  handle(_call, { health }) {
    const text = health.read()
    return typeof text === 'string' ? jsonText(text, 200, FRESH) : text.then((first) => jsonText(first, 200, FRESH))
  },
})

export const getServices = define({
  method: 'GET',
  path: `${PREFIX}/services`,
  id: 'getServices',
  tag: 'Services',
  summary: 'Show which services run',
  permission: 'viewer',
  response: z.object({ services: z.array(z.record(z.string(), z.enum(['running', 'not running']))) }),
  handle: async (_call, { folders, services }) =>
    json({ services: await listServices(folders, services).catch(whyUnknown) }),
})

export const getEndpoints = define({
  method: 'GET',
  path: `${PREFIX}/endpoints`,
  id: 'getEndpoints',
  tag: 'Information',
  summary: 'List the endpoints that are switched on (first level)',
  permission: 'viewer',
  response: z.object({ endpoints: z.array(z.string()) }),
  handle: (_call, { paths }) => json({ endpoints: paths() }),
})

export const getOpenapi = define({
  method: 'GET',
  path: `${PREFIX}/openapi.json`,
  id: 'getOpenapi',
  tag: 'Information',
  summary: 'The OpenAPI 3.1 document of this surface',
  permission: 'public',
  response: JSON_TYPE,
  handle: (_call, { openapi, rendered }) => rendered.reply('openapi', openapi, (text) => jsonText(text)),
})

export const infoEndpoints = [
  getVersion,
  getChangelog,
  getBuild,
  getSbom,
  getHealth,
  getServices,
  getEndpoints,
  getOpenapi,
]
