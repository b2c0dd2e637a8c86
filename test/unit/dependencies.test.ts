// SEC-38: what we depend on, as the lockfile has it. A lockfile only says what was true when it was written, so what it
// says about install scripts is held against the packages that lie on the disk.
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const repository = resolve(import.meta.dirname, '../..')
const text = (name: string) => readFileSync(join(repository, name), 'utf8')

interface Locked {
  version?: string
  integrity?: string
  resolved?: string
  dev?: boolean
  link?: boolean
  hasInstallScript?: boolean
}
const lock = JSON.parse(text('package-lock.json')) as { packages: Record<string, Locked> }
const packages = Object.entries(lock.packages).filter(([path]) => path !== '')
const nameOf = (path: string) => path.replace(/^.*node_modules\//, '')
const manifest = JSON.parse(text('package.json')) as {
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
}

/** The first versions that have the fixes we know of: hono of June 2026, its server of April 2026. */
const FLOORS: Record<string, string> = { hono: '4.12.25', '@hono/node-server': '1.19.13' }
/** May run something while it is installed, if npm were let: it looks for its own binary. Never shipped. */
const MAY_HAVE_SCRIPTS = ['esbuild']

function isBelow(version: string, floor: string): boolean {
  const [have, need] = [version, floor].map((one) => one.split('.').map(Number))
  const differs = need!.findIndex((part, index) => part !== have![index])
  return differs >= 0 && !(have![differs]! > need![differs]!)
}

describe('SEC-38 what we depend on', () => {
  it('is locked with the digest of every package', () => {
    expect(packages.length).toBeGreaterThan(50)
    for (const [path, { integrity = '', link }] of packages) {
      const [algorithm, digest = ''] = integrity.split('-')
      expect([path, algorithm, Buffer.from(digest, 'base64').length, link]).toEqual([path, 'sha512', 64, undefined])
    }
  })

  it('comes from whichever registry npm is told to use: the lockfile names none', () => {
    expect(packages.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([])
    for (const name of ['package-lock.json', '.npmrc']) expect(text(name)).not.toMatch(/registry\.|\.tgz|git\+|_auth/)
    expect(text('.npmrc')).toContain('omit-lockfile-registry-resolved=true')
  })

  it('is asked for by exact versions, the ones that are locked', () => {
    for (const [name, wanted] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
      // Under another name: npm:NAME@VERSION.
      const version = wanted.replace(/^npm:[a-z-]+@/, '')
      expect([name, version]).toEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+$/)])
      expect([name, lock.packages[`node_modules/${name}`]?.version]).toEqual([name, version])
    }
  })

  it('has the fixes of its web framework', () => {
    for (const [name, floor] of Object.entries(FLOORS)) {
      const all = packages.filter(([path]) => nameOf(path) === name)
      expect(all.length).toBeGreaterThan(0)
      for (const [path, { version = '0' }] of all)
        expect([path, version, isBelow(version, floor)]).toEqual([path, version, false])
    }
    expect([isBelow('4.12.24', '4.12.25'), isBelow('4.9.99', '4.12.25'), isBelow('3.99.0', '4.0.0')]).toEqual([
      true,
      true,
      true,
    ])
    expect([isBelow('4.12.25', '4.12.25'), isBelow('4.13.0', '4.12.25'), isBelow('5.0.0', '4.12.25')]).toEqual([
      false,
      false,
      false,
    ])
  })

  it('unpacks and reads forms with no general library on the trusted path', () => {
    const names = packages.filter(([, { dev }]) => !dev).map(([path]) => nameOf(path))
    for (const name of ['tar', 'tar-fs', 'adm-zip', 'unzipper', 'formidable', 'multer', 'decompress'])
      expect(names).not.toContain(name)
  })

  it('runs nothing while it is installed', () => {
    expect(text('.npmrc')).toMatch(/^ignore-scripts=true$/m)
    let seen = 0
    for (const [path, { hasInstallScript, dev }] of packages) {
      const file = join(repository, path, 'package.json')
      // A package for another platform is locked, and not there.
      const scripts = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { scripts?: object }).scripts : {}
      const own = ['preinstall', 'install', 'postinstall'].filter((name) => name in (scripts ?? {}))
      const native = existsSync(join(repository, path, 'binding.gyp'))
      const wants = own.length > 0 || native || hasInstallScript === true
      expect([path, wants && !(dev && MAY_HAVE_SCRIPTS.includes(nameOf(path)))]).toEqual([path, false])
      if (wants) seen += 1
    }
    expect(seen).toBeGreaterThan(0)
  })
})
