// The software bill of materials, in CycloneDX 1.5: what is in the product, with licenses and digests. The same sources
// have to give the same archive, so there is no time in it, and its serial number is made from what it says.
import { createHash } from 'node:crypto'
import type { Shipped } from './shipped.ts'

interface Product {
  name: string
  version: string
  description: string
  license: string
  /** What of the product is one file each, by its path below the installed folder. */
  files: Record<string, Uint8Array>
  /** Names of what it uses itself. */
  uses: string[]
}

const idOf = ({ name, version }: { name: string; version: string }) => `${name}@${version}`
/** An npm package's name in a purl: the @ of its scope is escaped. */
const purlOf = (one: Shipped) => `pkg:npm/${idOf(one).replace(/^@/, '%40')}`

/** One identifier of SPDX, an expression, or words: `UNLICENSED` is npm's own. */
function licenses(license: string) {
  if (license === 'UNLICENSED' || /^SEE LICEN[CS]E IN/.test(license)) return [{ license: { name: license } }]
  return / |\(/.test(license) ? [{ expression: license }] : [{ license: { id: license } }]
}

export function bill(product: Product, shipped: Shipped[]) {
  const root = idOf(product)
  const refs = new Map(shipped.map((one) => [one.name, idOf(one)]))
  const dependsOn = (names: string[]) => names.flatMap((name) => refs.get(name) ?? [])
  const about = {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      lifecycles: [{ phase: 'build' }],
      component: {
        type: 'application',
        'bom-ref': root,
        name: product.name,
        version: product.version,
        description: product.description,
        licenses: licenses(product.license),
        purl: `pkg:generic/${root}`,
        components: Object.entries(product.files).map(([name, bytes]) => ({
          type: 'file',
          name,
          hashes: [{ alg: 'SHA-256', content: createHash('sha256').update(bytes).digest('hex') }],
        })),
      },
    },
    components: shipped.map(component),
    dependencies: [
      { ref: root, dependsOn: dependsOn(product.uses) },
      ...shipped.map((one) => ({ ref: idOf(one), dependsOn: dependsOn(one.uses) })),
    ],
    compositions: [{ aggregate: 'complete', dependencies: [root] }],
  }
  const { $schema, bomFormat, specVersion, ...rest } = about
  return { $schema, bomFormat, specVersion, serialNumber: serialNumber(JSON.stringify(about)), ...rest }
}

function component(one: Shipped) {
  const isPackage = one.digest.alg === 'SHA-512'
  const references = [
    ...(one.source ? [{ type: 'vcs', url: one.source }] : []),
    ...(one.website ? [{ type: 'website', url: one.website }] : []),
  ]
  return {
    type: isPackage ? 'library' : 'data',
    'bom-ref': idOf(one),
    name: one.name,
    version: one.version,
    ...(one.description && { description: one.description }),
    ...(one.author && { author: one.author }),
    ...(one.copyright && { copyright: one.copyright }),
    scope: 'required',
    hashes: [one.digest],
    licenses: licenses(one.license),
    ...(isPackage ? { purl: purlOf(one) } : { data: [{ type: 'dataset', name: one.name }] }),
    ...(references.length > 0 && { externalReferences: references }),
    properties: one.files.map((value) => ({ name: 'edge-admin:file', value })),
  }
}

/** A UUID of version 8 (RFC 9562): the digest of what the bill says. */
function serialNumber(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `urn:uuid:${[hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')}`
}
