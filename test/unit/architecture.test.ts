// The rules of the source tree that no compiler checks. An import is found by its text; so this file also counts the
// words `import` and `require`, and fails on a way of importing that it does not know.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const repository = join(dirname(fileURLToPath(import.meta.url)), '../..')
const under = (folder: string) =>
  readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => `${folder}/${name}`)
const text = (file: string) => readFileSync(join(repository, file), 'utf8')
const code = (file: string) => text(file).replace(/^\s*(\/\/|\/?\*).*$/gm, '')

/** What runs in the browser: a program of its own, with rules of its own. */
const PAGE = 'src/page/'
/** The one computation that both sides need, free of everything that a browser lacks. */
const SHARED = 'src/features/snapshots/periods.ts'
const sources = under('src').filter((file) => !file.startsWith(PAGE))
const page = under('src').filter((file) => file.startsWith(PAGE))
const tests = under('test')

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s+['"]([^'"]+)['"]/g

/** What a file imports: packages by name, our own files by their path in the repository. */
function imports(file: string): string[] {
  return [...code(file).matchAll(IMPORT)].map((match) => {
    const name = match[1] ?? match[2] ?? match[3] ?? ''
    return name.startsWith('.') ? relative(repository, resolve(repository, dirname(file), name)) : name
  })
}

/** Where a file belongs: `src/features/…` is features; a file of src/ itself goes by its own name. */
const layerOf = (file: string) => (/^src\/([a-z]+)\//.exec(file)?.[1] ?? file.replace(/^src\//, '')) as string

/** Whom each layer may import, besides itself, the words of refusals (errors.ts, field-errors.ts, nearest.ts), folders.ts, loaded-later.ts, tls-choice.ts and version.ts (design.md, section 3). */
const MAY: Record<string, string[]> = {
  'start.ts': ['main.ts'],
  'main.ts': ['cli'],
  cli: ['app.ts', 'auth', 'config.ts', 'features', 'http', 'store', 'tasks'],
  'app.ts': ['appliance.ts', 'appliance', 'features', 'http', 'store', 'surfaces'],
  'appliance.ts': ['appliance', 'auth', 'config.ts', 'drivers', 'features', 'http', 'store', 'tasks'],
  appliance: ['auth', 'config.ts', 'drivers', 'features', 'http', 'store', 'tasks'],
  surfaces: ['appliance.ts', 'appliance', 'auth', 'config.ts', 'drivers', 'features', 'http', 'store', 'tasks'],
  features: ['auth', 'drivers', 'store', 'tasks'],
  http: ['auth', 'config.ts', 'store'],
  auth: ['store'],
  'config.ts': ['moved-keys.ts', 'store'],
  'moved-keys.ts': [],
  tasks: ['drivers', 'store'],
  drivers: [],
  store: [],
  'endpoint-names.ts': [],
  'errors.ts': [],
  'field-errors.ts': [],
  'nearest.ts': [],
  'folders.ts': [],
  'loaded-later.ts': [],
  'networks.ts': [],
  'tls-choice.ts': [],
  'version.ts': ['../package.json'],
  'vendor.d.ts': ['*'],
}
const EVERYONE = [
  'src/errors.ts',
  'src/field-errors.ts',
  'src/nearest.ts',
  'src/endpoint-names.ts',
  'src/folders.ts',
  'src/loaded-later.ts',
  'src/networks.ts',
  'src/tls-choice.ts',
  'src/version.ts',
  'package.json',
]

/** The list of all surfaces, and the type that all of them return. */
const TABLE = 'src/surfaces/table.ts'
const ASSEMBLED = 'src/surfaces/assembled.ts'

/** Why an import is not allowed; undefined when it is. */
function objection(file: string, to: string): string | undefined {
  if (!to.startsWith('src/') || EVERYONE.includes(to)) return undefined
  const [from, target] = [layerOf(file), layerOf(to)]
  if (from === 'surfaces' && target === 'surfaces') {
    const same = file.split('/')[2] === to.split('/')[2]
    return same || file === TABLE || to === ASSEMBLED ? undefined : 'a surface imports another surface'
  }
  if (from === target) return undefined
  return MAY[from]?.includes(target) ? undefined : `${from} imports ${target}`
}

/** The sets of files of which each is reached from each of the others by imports. */
function circlesOf(files: string[], importsOf: (file: string) => string[]): string[][] {
  const edges = new Map(files.map((file) => [file, importsOf(file)]))
  const reachedFrom = (file: string) => {
    const found = new Set<string>()
    const open = [...(edges.get(file) ?? [])]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (found.has(next)) continue
      found.add(next)
      open.push(...(edges.get(next) ?? []))
    }
    return found
  }
  const reached = new Map(files.map((file) => [file, reachedFrom(file)]))
  const circles = new Map<string, string[]>()
  for (const file of files) {
    const circle = files.filter((other) => reached.get(file)?.has(other) && reached.get(other)?.has(file)).sort()
    if (circle.length > 0) circles.set(circle.join(), circle)
  }
  return [...circles.values()]
}

describe('imports', () => {
  it('are all written in a way that this test understands', () => {
    for (const file of sources) {
      const words = code(file).match(/(?:^|\n)\s*import\b|\bimport\(/g)?.length ?? 0
      const from = [...code(file).matchAll(/(?:^|\n)\s*export\s[^'"`;]*?from\s*['"]/g)].length
      expect([file, imports(file).length]).toEqual([file, words + from])
      expect([file, /\brequire\(|\bcreateRequire\b|\bprocess\.binding\b/.test(code(file))]).toEqual([file, false])
    }
  })

  it('go one way: main, app, surfaces, features, and then drivers, tasks and store', () => {
    expect(sources.map(layerOf).filter((layer) => !(layer in MAY))).toEqual([])
    const wrong = sources.flatMap((file) =>
      imports(file).flatMap((to) => {
        const why = objection(file, to)
        return why ? [`${file} → ${to}: ${why}`] : []
      }),
    )
    expect(wrong).toEqual([])
  })

  it('are judged: what the rules forbid is found', () => {
    for (const [file, to] of [
      ['src/features/update/update.ts', 'src/http/reply/reply.ts'],
      ['src/features/update/update.ts', 'src/surfaces/admin/shapes.ts'],
      ['src/drivers/run.ts', 'src/store/atomic.ts'],
      ['src/http/pipeline/mount.ts', 'src/features/update/update.ts'],
      ['src/auth/token.ts', 'src/features/setup/setup.ts'],
      ['src/surfaces/console/page.ts', 'src/surfaces/admin/shapes.ts'],
      ['src/surfaces/console/page.ts', 'src/surfaces/table.ts'],
      ['src/surfaces/assembled.ts', 'src/surfaces/admin/shapes.ts'],
      ['src/appliance.ts', 'src/surfaces/table.ts'],
      ['src/appliance/storage.ts', 'src/surfaces/controller/shapes.ts'],
      ['src/features/update/update.ts', 'src/appliance.ts'],
      ['src/store/atomic.ts', 'src/tasks/tasks.ts'],
      ['src/tasks/tasks.ts', 'src/http/reply/reply.ts'],
    ] as const) {
      expect([file, to, typeof objection(file, to)]).toEqual([file, to, 'string'])
    }
  })

  it('of the appliance by a surface are types: a surface gets its parts, and makes none', () => {
    const makers = sources.filter(
      (file) =>
        file.startsWith('src/surfaces/') &&
        /import (?!type )[^'"]*['"](?:\.\.\/)+appliance(?:\/|\.ts)/.test(code(file)),
    )
    expect(makers).toEqual([])
  })

  it('of a surface are in the table alone, and app.ts names none', () => {
    const names = readdirSync(join(repository, 'src/surfaces'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
    expect(names.length).toBeGreaterThan(2)
    for (const name of names) {
      const outside = sources.filter((file) => !file.startsWith('src/surfaces/'))
      expect(outside.filter((file) => imports(file).some((to) => to.startsWith(`src/surfaces/${name}/`)))).toEqual([])
      for (const file of ['src/app.ts', 'src/appliance.ts'])
        expect([file, name, new RegExp(`['"\`.]${name}\\b`).test(code(file))]).toEqual([file, name, false])
    }
  })

  it('at the start are not those of a surface, nor of what only some surfaces need', () => {
    /** All that is loaded with a file: types and what is imported later are not. */
    const loaded = new Set<string>()
    const load = (file: string) => {
      if (loaded.has(file)) return
      loaded.add(file)
      for (const [, name] of code(file).matchAll(/(?:^|\n)(?:import|export) (?!type )(?:[^'";]*?from )?'(\.[^']+)'/g))
        load(relative(repository, resolve(repository, dirname(file), name as string)))
    }
    load('src/app.ts')
    expect(loaded).toContain('src/tasks/tasks.ts')
    const later =
      /^src\/(?:surfaces\/[a-z]+\/|appliance\/(?:accounts|sessions|storage)\.|auth\/(?:users|jwt|password)\.|features\/(?:pools|datasets|snapshots|shares|iscsi|users)\/)/
    expect([...loaded].filter((file) => later.test(file))).toEqual([])
  })

  it('run in no circle, types included: one of two files can be read without the other', () => {
    expect(circlesOf([...sources, ...page], imports)).toEqual([])
  })

  it('that run in a circle are found, however long it is', () => {
    const graph: Record<string, string[]> = { a: ['b', 'x'], b: ['c'], c: ['a', 'd'], d: ['e'], e: [], x: ['x', 'e'] }
    expect(circlesOf(Object.keys(graph), (file) => graph[file] ?? [])).toEqual([['a', 'b', 'c'], ['x']])
  })

  it('of our own files end in .ts', () => {
    for (const file of [...sources, ...tests]) {
      for (const to of imports(file).filter((name) => /^(src|test)\//.test(name))) {
        // A fake is a program of its own, for a Node that takes no TypeScript.
        expect([file, to, /\.(ts|json)$|^test\/fakes\/[a-z-]+\.mjs$/.test(to)]).toEqual([file, to, true])
      }
    }
  })
})

describe('the machine, below the surfaces,', () => {
  const DIALECT = /jidoteki|atlas|zfssa|oracle|lightbits|pvc/gi
  /** The original's own names on disk and on the wire, the folder that it lies in, and the documents that are cited. */
  const EXEMPT = /jidoteki-(?:audit\.log|admin-api(?:\.json)?)|\/opt\/jidoteki|facts: (?:jidoteki|atlas)\.md/g
  const machine = sources.filter((file) => /^src\/(?:features|drivers|tasks|store)\//.test(file))
  const dialects = (words: string) => words.replace(EXEMPT, '').match(DIALECT) ?? []

  it('names no dialect, in code, messages or comments', () => {
    expect(machine.length).toBeGreaterThan(100)
    for (const file of machine) expect([file, dialects(text(file))]).toEqual([file, []])
  })

  it('is judged: a dialect is found in an identifier, a message and a comment', () => {
    for (const line of [
      'const pvcPool = 1',
      "throw busy('Atlas is busy')",
      '// As Jidoteki does (facts: jidoteki.md 4).',
    ])
      expect(dialects(line)).toHaveLength(1)
    expect(dialects("join(log, 'jidoteki-audit.log') // facts: atlas.md")).toEqual([])
  })
})

describe('the page of the console', () => {
  it('is made of its own files and hono’s JSX, and nothing of the server', () => {
    for (const file of page) {
      const foreign = imports(file).filter(
        (name) =>
          !name.startsWith(PAGE) && !/^hono\/jsx(?:\/dom(?:\/jsx-dev-runtime)?)?$/.test(name) && name !== SHARED,
      )
      expect([file, foreign]).toEqual([file, []])
    }
    expect(imports(SHARED)).toEqual([])
    expect(sources.filter((file) => imports(file).some((name) => name.startsWith(PAGE)))).toEqual([])
  })

  it('never makes HTML or code of text, and keeps nothing where another script could read it', () => {
    const unsafe =
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|localStorage|sessionStorage|document\.cookie/
    for (const file of page) expect([file, unsafe.exec(code(file))?.[0]]).toEqual([file, undefined])
  })
})

describe('SEC-01 starting programs', () => {
  const spawners = (name: string) => sources.filter((file) => imports(file).includes(name))

  it('is done by run.ts, the kernel locks and the tasks only', () => {
    const found = [...spawners('node:child_process'), ...spawners('child_process')].sort()
    expect(found).toEqual(['src/drivers/run.ts', 'src/store/lock.ts', 'src/tasks/program.ts'])
  })

  it('never goes through a shell, a worker or a cluster', () => {
    for (const file of sources) {
      expect([
        file,
        /\b(?:exec|execSync|execFile|execFileSync|fork)\s*\((?!['"`]?\))/.test(code(file)) &&
          /child_process/.test(code(file)),
      ]).toEqual([file, false])
      expect([file, /shell:\s*true/.test(code(file))]).toEqual([file, false])
      for (const name of ['node:cluster', 'node:vm', 'node:repl', 'node:inspector']) {
        expect([file, imports(file).includes(name)]).toEqual([file, false])
      }
      expect([file, /\beval\s*\(|new Function\s*\(/.test(code(file))]).toEqual([file, false])
    }
  })
})

describe('SEC-29 outbound connections', () => {
  it('turn certificate checks off in one place only: the handshake with our own port', () => {
    const off = sources.filter((file) => /rejectUnauthorized|NODE_TLS_REJECT_UNAUTHORIZED/.test(code(file)))
    expect(off.filter((file) => file !== 'src/http/server/tls.ts')).toEqual(['src/cli/call.ts', 'src/cli/send.ts'])
  })
})

describe('source files', () => {
  it('begin with a comment that says what they are for', () => {
    for (const file of [...sources, ...page, ...tests]) {
      expect([file, /^(?:#!.*\n)?\/\/ \S.{10,}/.test(text(file))]).toEqual([file, true])
    }
  })

  it('have names in kebab case, and no folder for odds and ends', () => {
    for (const file of [...sources, ...page]) {
      expect([file, /^src\/(?:[a-z0-9-]+\/)*[a-z0-9-]+(?:\.d)?\.tsx?$/.test(file)]).toEqual([file, true])
      expect([file, /\/(?:utils|helpers|common|types)\//.test(file)]).toEqual([file, false])
    }
  })

  it('import zod whole, so that only what is used is bundled', () => {
    for (const file of sources) {
      if (imports(file).includes('zod')) {
        expect([file, /import (?:type )?\* as z from 'zod'/.test(code(file))]).toEqual([file, true])
      }
    }
  })
})

describe('tests', () => {
  it('are all run: none is marked to run alone or to be left out', () => {
    const marks = new RegExp(
      `\\b(?:it|test|describe)\\.(?:${['only', 'skip', 'todo', 'fails'].join('|')})\\b|\\b[xf](?:it|describe)\\(`,
    )
    for (const file of tests) expect([file, marks.exec(text(file))?.[0]]).toEqual([file, undefined])
  })
})
