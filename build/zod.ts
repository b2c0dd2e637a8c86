// What the bundle leaves out of zod, and what it loads later. JSON Schema is for the OpenAPI documents only, which are
// made when somebody asks for one; of the formats of strings we use few.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'esbuild'

/** What `zod/v4/core` stands for in the bundle: of that, only JSON Schema is imported. */
const JSON_SCHEMA = join(import.meta.dirname, '../node_modules/zod/v4/core/json-schema-processors.js')
const SOURCE = join(import.meta.dirname, '../src')

/** Methods of z.string() that nothing in src/ calls: each would keep a schema, a check and a pattern in the bundle. */
const FORMATS = [
  ...['jwt', 'emoji', 'guid', 'uuid', 'uuidv4', 'uuidv6', 'uuidv7', 'nanoid', 'cuid', 'cuid2', 'ulid'],
  ...['base64url', 'xid', 'ksuid', 'ipv4', 'ipv6', 'cidrv4', 'cidrv6', 'e164'],
]

const PROCESSORS = `import * as processors from "../core/json-schema-processors.js";`
const METHODS = `import { createStandardJSONSchemaMethod, createToJSONSchemaMethod } from "../core/to-json-schema.js";`

/** Filled by the module of JSON Schema once that is loaded. */
const LATER = 'zod-json-schema'
const NOT_HERE = `const createToJSONSchemaMethod = () => () => { throw new Error('use toJSONSchema of zod/v4/core') }
const createStandardJSONSchemaMethod = createToJSONSchemaMethod`

function cut(text: string, found: string | RegExp, put: string): string {
  const result = text.replace(found, put)
  if (result === text) throw new Error(`zod has changed: ${found} is not in its schemas`)
  return result
}

function refuseUse(): void {
  const called = new RegExp(`\\.(${FORMATS.join('|')})\\(`)
  for (const name of readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue
    const [use] = called.exec(readFileSync(join(SOURCE, name), 'utf8')) ?? []
    if (use) throw new Error(`src/${name} calls ${use}): take it out of the list in build/zod.ts`)
  }
}

function withoutFormats(text: string): string {
  return FORMATS.reduce(
    (rest, name) =>
      cut(rest, new RegExp(`\\n    ${name}\\(params\\) \\{\\n        return this\\.check\\([^\\n]*\\n    \\},`), ''),
    text,
  )
}

export const zod: Plugin = {
  name: 'zod',
  setup(build) {
    refuseUse()
    build.onResolve({ filter: new RegExp(`^${LATER}$`) }, ({ path }) => ({ path, namespace: LATER }))
    build.onLoad({ filter: /.*/, namespace: LATER }, () => ({ contents: 'export const processors = {}', loader: 'js' }))
    build.onLoad({ filter: /\/zod\/v4\/classic\/schemas\.js$/ }, ({ path }) => {
      const text = cut(readFileSync(path, 'utf8'), PROCESSORS, `import { processors } from '${LATER}'`)
      return { contents: withoutFormats(cut(text, METHODS, NOT_HERE)), loader: 'js' }
    })
    // The bundler keeps with zod whatever its index files name, used or not.
    build.onLoad({ filter: /\/zod\/v4\/(classic\/external|core\/index)\.js$/ }, ({ path }) => ({
      contents: cut(readFileSync(path, 'utf8'), /^export [^;]* from "[^"]*json-schema[^"]*";$/gm, ''),
      loader: 'js',
    }))
    build.onResolve({ filter: /^zod\/v4\/core$/ }, () => ({ path: JSON_SCHEMA }))
    build.onLoad({ filter: /\/zod\/v4\/core\/json-schema-processors\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      const names = [...text.matchAll(/^export (?:const|function) (\w+)/gm)].map(([, name]) => name)
      return {
        contents: `import { processors } from '${LATER}'\n${text}\nObject.assign(processors, { ${names.join(', ')} })\n`,
        loader: 'js',
      }
    })
  },
}
