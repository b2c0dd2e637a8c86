// Which third-party work is in the product: the packages of the bundle and of the console's page, and the list of
// words. Npm's tree names more than that. A package counts only when at least one of its lines is in the
// bundle, and not when trim.ts replaced all of it.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Metafile } from 'esbuild'
import { isCut } from './trim.ts'

/** A package's own description, as far as it is asked for. `licenses` is the form of long ago. */
interface Manifest {
  name: string
  version: string
  description?: string
  author?: string | { name: string }
  license?: string | { type: string }
  licenses?: (string | { type: string })[]
  homepage?: string
  repository?: string | { url: string }
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

export interface Shipped {
  name: string
  version: string
  /** Of SPDX: one identifier, or an expression. */
  license: string
  /** What its license asks to be handed on with it. */
  text: string
  description?: string | undefined
  author?: string | undefined
  copyright?: string
  website?: string | undefined
  source?: string | undefined
  /** Where it is, of the files that we ship. */
  files: string[]
  digest: { alg: 'SHA-256' | 'SHA-512'; content: string }
  /** Names of others that are shipped, and that it uses. */
  uses: string[]
}

const readManifest = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
const PACKAGE = /^((?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+)\//

/** The packages' folders, each with the outputs that it is in. */
export function bundled(outputs: Metafile['outputs']): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const [output, { inputs }] of Object.entries(outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
      const folder = PACKAGE.exec(input)?.[1]
      if (!folder || bytesInOutput === 0 || isCut(input)) continue
      const files = found.get(folder) ?? []
      found.set(folder, files.includes(output) ? files : [...files, output])
    }
  }
  return found
}

/** The packages in these outputs, by name. `locked`: the digests of the lockfile, by folder. */
export function shippedPackages(
  outputs: Metafile['outputs'],
  locked: Record<string, { integrity?: string }>,
): Shipped[] {
  const found = bundled(outputs)
  return [...found]
    .map(([folder, files]) => {
      const manifest = readManifest(folder)
      const { name, version, description, author, homepage, repository } = manifest
      return {
        ...{ name, version, description },
        license: licenseOf(manifest),
        text: licenseText(folder),
        author: typeof author === 'object' ? author.name : author,
        website: homepage,
        source: sourceOf(repository),
        files: files.map((file) => file.replace(/^dist\//, '')).sort(),
        digest: { alg: 'SHA-512' as const, content: sha512(name, locked[folder]?.integrity) },
        uses: usedBy(folder, found),
      }
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1))
}

/** Says so where a package names no license: it cannot be shipped. */
export function licenseOf({ name, license, licenses }: Pick<Manifest, 'name' | 'license' | 'licenses'>): string {
  const named = (license ? [license] : (licenses ?? [])).map((one) => (typeof one === 'object' ? one.type : one))
  if (named.length === 0) throw new Error(`${name} names no license in its package.json`)
  return named.join(' OR ')
}

/** As an address: npm also takes a name on GitHub, and what ssh takes for one. */
function sourceOf(repository: Manifest['repository']): string | undefined {
  const url = typeof repository === 'object' ? repository.url : repository
  if (url && /^[\w.-]+\/[\w.-]+$/.test(url)) return `https://github.com/${url}`
  return url?.replace(/^(\w+@[\w.-]+):/, 'git+ssh://$1/')
}

const licenseText = (folder: string) =>
  readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim())
    .join('\n\n')

function sha512(name: string, integrity = ''): string {
  const [algorithm, digest = ''] = integrity.split('-')
  if (algorithm !== 'sha512') throw new Error(`package-lock.json has no SHA-512 of ${name}`)
  return Buffer.from(digest, 'base64').toString('hex')
}

/** What a package uses, through packages of which nothing was left. */
function usedBy(folder: string, found: ReadonlyMap<string, unknown>, seen = new Set<string>()): string[] {
  const { dependencies, optionalDependencies } = readManifest(folder)
  const names = Object.keys({ ...dependencies, ...optionalDependencies }).flatMap((name) => {
    const there = resolvePackage(folder, name)
    if (!there || seen.has(there)) return []
    seen.add(there)
    return found.has(there) ? [name] : usedBy(there, found, seen)
  })
  return [...new Set(names)].sort()
}

/** As Node finds it: below the package that asks, else further up. */
function resolvePackage(from: string, name: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const there = join(folder, 'node_modules', name)
    if (existsSync(join(there, 'package.json'))) return there
    if (folder === '.' || folder === '/') return undefined
  }
}

/** What the product itself uses of them. */
export const usedByUs = (outputs: Metafile['outputs']) => usedBy('.', bundled(outputs))

/** The words of the one-time phrase: data, laid beside the bundle. Its README holds what its license asks for. */
export function wordList(): Shipped {
  const file = 'etc/eff-large-wordlist.txt'
  return {
    name: 'eff-large-wordlist',
    version: '2016',
    license: 'CC-BY-3.0-US',
    text: readFileSync('etc/eff-large-wordlist.README', 'utf8').trim(),
    description: 'The EFF’s Long Wordlist, without its dice numbers',
    author: 'Electronic Frontier Foundation',
    copyright: 'Copyright 2016 Electronic Frontier Foundation',
    website: 'https://www.eff.org/dice',
    files: [file],
    digest: { alg: 'SHA-256', content: createHash('sha256').update(readFileSync(file)).digest('hex') },
    uses: [],
  }
}
