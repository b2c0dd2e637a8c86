// What we say is in the product: sbom.json for programs, NOTICE for people. Both are made by the build, so `make build`
// comes first.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { notice } from '../../build/notice.ts'
import { bill } from '../../build/sbom.ts'
import { bundled, licenseOf, type Shipped } from '../../build/shipped.ts'
import { Bill } from './cyclonedx.ts'

const repository = resolve(import.meta.dirname, '../..')
const text = (name: string) => readFileSync(join(repository, name), 'utf8')
const sha256 = (name: string) =>
  createHash('sha256')
    .update(readFileSync(join(repository, name)))
    .digest('hex')
const manifest = JSON.parse(text('package.json')) as { version: string; license: string }

const one: Shipped = {
  ...{ name: 'one', version: '1.0.0', license: 'MIT', text: 'Copyright one', files: ['edge-admin.js'], uses: ['two'] },
  digest: { alg: 'SHA-512', content: 'a'.repeat(128) },
}
const two: Shipped = { ...one, name: '@of/two', version: '2.0.0', license: '(BSD-3-Clause OR GPL-2.0)', uses: [] }
const product = { name: 'edge-admin', version: '0.1.0', description: 'x', license: 'UNLICENSED' }
const made = (license = 'UNLICENSED', shipped = [one, two]) =>
  bill({ ...product, license, files: { 'edge-admin.js': Buffer.from('x') }, uses: ['one'] }, shipped)

describe('the bill of materials', () => {
  beforeAll(() => {
    if (!existsSync(join(repository, 'dist/sbom.json'))) throw new Error('there is no bundle: run `make build`')
  })
  const built = () => Bill.parse(JSON.parse(text('dist/sbom.json')))

  it('keeps the rules of CycloneDX 1.5, and names a license of each component', () => {
    const { components, dependencies, metadata, compositions } = built()
    const refs = [metadata.component, ...components].map((component) => component['bom-ref'])
    expect(new Set(refs).size).toBe(refs.length)
    expect(dependencies.map(({ ref }) => ref).sort()).toEqual([...refs].sort())
    for (const { ref, dependsOn } of dependencies) {
      expect([ref, dependsOn.filter((name) => !refs.includes(name))]).toEqual([ref, []])
      expect(new Set(dependsOn).size).toBe(dependsOn.length)
    }
    expect(compositions[0].dependencies).toEqual([metadata.component['bom-ref']])
    for (const { type, purl, data } of components)
      expect([type, purl !== undefined, data !== undefined]).toEqual([type, type === 'library', type === 'data'])
  })

  it('leads from the product to every component', () => {
    const { dependencies, metadata, components } = built()
    const reached = new Set<string>()
    const follow = (ref: string): void => {
      if (reached.has(ref)) return
      reached.add(ref)
      for (const next of dependencies.find((entry) => entry.ref === ref)?.dependsOn ?? []) follow(next)
    }
    follow(metadata.component['bom-ref'])
    expect(components.map((component) => component['bom-ref']).filter((ref) => !reached.has(ref))).toEqual([])
  })

  it('names the packages of the program and of the console’s page, with the versions that are locked', () => {
    const components = built().components.filter(({ type }) => type === 'library')
    const names = components.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['busboy', 'streamsearch', 'hono', 'zod', 'tar-stream']))
    const listed = text('deps.txt')
    for (const { name, version } of components) expect(listed).toContain(` ${name}@${version}`)
    const { properties } = components.find(({ name }) => name === 'hono')!
    const files = properties.map(({ value }) => value)
    expect(files).toEqual(expect.arrayContaining(['console/app.js', expect.stringMatching(/^lib\/\w+\/server\.js$/)]))
    // In npm's tree, and nothing of them in the bundle.
    for (const name of ['sonic-boom', 'thread-stream', 'bare-fs']) {
      expect(listed).toContain(` ${name}@`)
      expect(names).not.toContain(name)
    }
  })

  it('has the list of words, whose license asks to be named', () => {
    const words = built().components.find(({ type }) => type === 'data')
    expect(words).toMatchObject({
      name: 'eff-large-wordlist',
      author: 'Electronic Frontier Foundation',
      licenses: [{ license: { id: 'CC-BY-3.0-US' } }],
      hashes: [{ alg: 'SHA-256', content: sha256('etc/eff-large-wordlist.txt') }],
    })
    expect(text('dist/NOTICE')).toContain(text('etc/eff-large-wordlist.README').trim())
  })

  it('has the digests of the files that were built with it', () => {
    const { components } = built().metadata.component
    const program = readdirSync(join(repository, 'dist/lib'), { recursive: true }).map((name) => `lib/${name}`)
    const files = ['console/app.js', 'edge-admin.js', ...program.filter((name) => name.endsWith('.js'))]
    expect(components.map(({ name }) => name)).toEqual(files.sort())
    for (const { name, hashes } of components)
      expect([name, hashes[0]!.content]).toEqual([name, sha256(`dist/${name}`)])
  })

  it('is the same for the same contents, and another for others', () => {
    expect(made()).toEqual(made())
    expect(made('MIT').serialNumber).not.toBe(made().serialNumber)
    expect(JSON.stringify(made())).not.toMatch(/\d{4}-\d{2}-\d{2}T/)
  })

  it('tells an identifier from an expression', () => {
    expect(Bill.parse(made()).components.map(({ licenses }) => licenses)).toEqual([
      [{ license: { id: 'MIT' } }],
      [{ expression: '(BSD-3-Clause OR GPL-2.0)' }],
    ])
    expect(Bill.parse(made()).components[1]!.purl).toBe('pkg:npm/%40of/two@2.0.0')
  })
})

describe('what is in the bundle', () => {
  const inputs = (named: Record<string, number>) => ({
    inputs: Object.fromEntries(Object.entries(named).map(([name, bytesInOutput]) => [name, { bytesInOutput }])),
    ...{ bytes: 1, imports: [], exports: [] },
  })

  it('is what a line of is in it, and is not ours in its place', () => {
    const outputs = {
      'dist/a.js': inputs({
        'src/main.ts': 10,
        'node_modules/used/index.js': 10,
        'node_modules/shaken/index.js': 0,
        'node_modules/sonic-boom/index.js': 80,
        'node_modules/used/node_modules/@of/inner/x.js': 5,
      }),
      'dist/b.js': inputs({ 'node_modules/used/other.js': 1, 'node_modules/used/third.js': 1 }),
    }
    expect(bundled(outputs)).toEqual(
      new Map([
        ['node_modules/used', ['dist/a.js', 'dist/b.js']],
        ['node_modules/used/node_modules/@of/inner', ['dist/a.js']],
      ]),
    )
  })

  it('has a license, in whichever form its package names it', () => {
    expect(licenseOf({ name: 'a', license: 'MIT' })).toBe('MIT')
    expect(licenseOf({ name: 'a', license: { type: 'ISC' } })).toBe('ISC')
    expect(licenseOf({ name: 'a', licenses: [{ type: 'MIT' }, 'ISC'] })).toBe('MIT OR ISC')
    expect(() => licenseOf({ name: 'a' })).toThrow('a names no license in its package.json')
  })
})

describe('NOTICE', () => {
  it('names what the bill of materials names, with its license', () => {
    const { components } = Bill.parse(JSON.parse(text('dist/sbom.json')))
    const licenses = components.map(({ name, version, licenses: [license] }) => {
      const words = license && 'license' in license ? license.license.id : license?.expression
      return `${name} ${version} (${words})`
    })
    const headings = [...text('dist/NOTICE').matchAll(/^={72}\n(.+)\n/gm)].map(([, heading]) => heading)
    expect(headings).toEqual(licenses)
  })

  it('has a text of each license', () => {
    expect(text('dist/NOTICE')).not.toContain('brings no license text')
  })
})

describe('our own license', () => {
  it('is that of package.json in the bill of materials, in NOTICE and in the README', () => {
    const { license } = manifest
    const { licenses } = Bill.parse(JSON.parse(text('dist/sbom.json'))).metadata.component
    expect(JSON.stringify(licenses)).toContain(`"${license}"`)
    expect(text('dist/NOTICE')).toMatch(new RegExp(`^edge-admin ${manifest.version}\nLicense: ${license}\\b`))
    expect(text('README.md').split('\n## License\n')[1]).toContain(`\`${license}\``)
    expect(JSON.parse(text('package-lock.json')).packages[''].license).toBe(license)
  })

  it('is told as it is, granted or not', () => {
    expect(made('UNLICENSED').metadata.component.licenses).toEqual([{ license: { name: 'UNLICENSED' } }])
    expect(made('MIT').metadata.component.licenses).toEqual([{ license: { id: 'MIT' } }])
    expect(made('MIT OR Apache-2.0').metadata.component.licenses).toEqual([{ expression: 'MIT OR Apache-2.0' }])
    expect(notice({ ...product, text: '' }, [])).toContain('no license has been granted')
    const granted = notice({ ...product, license: 'MIT', text: 'Permission is hereby granted' }, [one])
    expect(granted).toContain('License: MIT\n\nPermission is hereby granted\n')
    expect(granted).not.toContain('no license')
  })
})
