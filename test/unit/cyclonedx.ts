// The rules of CycloneDX 1.5 for the members that our bill of materials has, written after its JSON schema: nothing
// else may be in it. The schema is satisfied with less than people need; what a component must have here is more than
// it asks for.
import * as z from 'zod'

/** Identifiers of SPDX that somebody has looked at. A new one is a question for people: may it be shipped with this product? */
const LOOKED_AT = ['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'CC-BY-3.0-US'] as const
const EXPRESSIONS = ['(BSD-3-Clause OR GPL-2.0)'] as const

const Reference = z.string().min(1)
const Url = z.string().regex(/^[a-z][a-z0-9+.-]*:\S+$/i)
const Hash = z.strictObject({
  alg: z.enum(['SHA-256', 'SHA-512']),
  content: z.string().regex(/^([a-f0-9]{64}|[a-f0-9]{128})$/),
})
const License = z.union([
  z.strictObject({ license: z.strictObject({ id: z.enum(LOOKED_AT) }) }),
  z.strictObject({ expression: z.enum(EXPRESSIONS) }),
])
const Component = z.strictObject({
  type: z.enum(['library', 'data']),
  'bom-ref': Reference,
  name: z.string().min(1),
  version: z.string().min(1),
  description: z.string().optional(),
  author: z.string().optional(),
  copyright: z.string().optional(),
  scope: z.literal('required'),
  hashes: z.array(Hash).length(1),
  licenses: z.array(License).min(1),
  purl: z
    .string()
    .regex(/^pkg:npm\/(%40[a-z0-9.-]+\/)?[a-z0-9._-]+@\d+\.\d+\.\d+$/)
    .optional(),
  data: z.tuple([z.strictObject({ type: z.literal('dataset'), name: z.string() })]).optional(),
  externalReferences: z.array(z.strictObject({ type: z.enum(['vcs', 'website']), url: Url })).optional(),
  properties: z.array(z.strictObject({ name: z.literal('edge-admin:file'), value: z.string().min(1) })).min(1),
})

export const Bill = z.strictObject({
  $schema: z.literal('http://cyclonedx.org/schema/bom-1.5.schema.json'),
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.5'),
  serialNumber: z.string().regex(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
  version: z.literal(1),
  metadata: z.strictObject({
    lifecycles: z.tuple([z.strictObject({ phase: z.literal('build') })]),
    component: z.strictObject({
      type: z.literal('application'),
      'bom-ref': Reference,
      name: z.literal('edge-admin'),
      version: z.string(),
      description: z.string(),
      licenses: z.tuple([
        z.union([
          z.strictObject({ license: z.strictObject({ id: z.string() }) }),
          z.strictObject({ license: z.strictObject({ name: z.string() }) }),
          z.strictObject({ expression: z.string() }),
        ]),
      ]),
      purl: z.string().regex(/^pkg:generic\/edge-admin@\d+\.\d+\.\d+$/),
      components: z.array(z.strictObject({ type: z.literal('file'), name: z.string(), hashes: z.array(Hash) })).min(1),
    }),
  }),
  components: z.array(Component),
  dependencies: z.array(z.strictObject({ ref: Reference, dependsOn: z.array(Reference) })),
  compositions: z.tuple([z.strictObject({ aggregate: z.literal('complete'), dependencies: z.tuple([Reference]) })]),
})
