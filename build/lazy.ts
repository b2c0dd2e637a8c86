// Keeps a start from loading what nobody asked for yet: Node's own fetch (undici), a quarter of the time to the first answer. Two things would
// load it: an `import` of `node:http`, which reads every property, one of which is WebSocket, and @hono/node-server, which derives its own
// Request and Response from the global ones.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Plugin } from 'esbuild'

const require = createRequire(import.meta.url)
const FOLDER = join(import.meta.dirname, 'lazy')

/** Given to esbuild as `inject`: it replaces the global names by these. */
export const GLOBALS = join(FOLDER, 'globals.js')

/** A module of Node by `require`, which reads no property, with those that are plain values as names to import: what nobody imports is not read. */
function byRequire(name: string): string {
  const all = Object.entries(Object.getOwnPropertyDescriptors(require(name)))
  const plain = all.filter(([key, property]) => 'value' in property && /^[A-Za-z]\w*$/.test(key)).map(([key]) => key)
  const exported = plain.map((key) => `export const ${key} = /* @__PURE__ */ (() => all.${key})()`)
  return `const all = require('${name}')\nexport default all\n${exported.join('\n')}\n`
}

/** Packages in CommonJS that are imported when they are needed: as a chunk of its own, such a one has no names unless they are said here. */
const LATER = /^(busboy|prom-client|tar-stream)$/

const withNames = (name: string) =>
  `import all from '${name}'\nexport default all\n${Object.keys(require(name))
    .map((key) => `export const ${key} = all.${key}`)
    .join('\n')}\n`

/** What is replaced in @hono/node-server: each has to be there, or the package has changed and this has to be read again. */
const IN_NODE_SERVER: [RegExp, string][] = [
  [/\bglobal\.Request;/, 'NodeRequest;'],
  [/\bglobal\.Response;/, 'NodeResponse;'],
  [/= globalThis\.Headers;/, '= Headers;'],
  // Nobody here puts another class in the place of the global one.
  [/globalThis\.Headers === GlobalHeaders/, 'true'],
  // `RESPONSE_ALREADY_SENT` is a light one in the bundle, and looks like any other answer with no body: a stream of events would get a second head.
  [
    /let \[status, body, header\] = res\[cacheKey\];/,
    '$& if (header instanceof Headers ? header.has(X_ALREADY_SENT) : header?.[X_ALREADY_SENT]) return outgoing[outgoingEnded]?.();',
  ],
  [/options\.overrideGlobalObjects !== false && global\.Request !== Request\$1/, 'false'],
]

function patched(file: string): string {
  let text = readFileSync(file, 'utf8')
  for (const [found, put] of IN_NODE_SERVER) {
    if (!found.test(text)) throw new Error(`${file} has changed: ${found} is not in it`)
    text = text.replace(found, put)
  }
  return `import { NodeRequest, NodeResponse } from '${join(FOLDER, 'web-classes.js')}'\n${text}\nexport { Request$1 as LightRequest, Response$1 as LightResponse };\n`
}

export const lazy: Plugin = {
  name: 'lazy',
  setup(build) {
    build.onResolve({ filter: /^node:(http|fs|crypto)$/ }, ({ path, kind }) =>
      kind === 'require-call' ? { path, external: true } : { path, namespace: 'lazy' },
    )
    build.onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path }) => ({ contents: byRequire(path), loader: 'js' }))
    build.onResolve({ filter: LATER }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path, namespace: 'later' } : undefined,
    )
    build.onLoad({ filter: LATER, namespace: 'later' }, ({ path }) => ({
      contents: withNames(path),
      loader: 'js',
      resolveDir: FOLDER,
    }))
    build.onLoad({ filter: /\/@hono\/node-server\/dist\/index\.mjs$/ }, ({ path }) => ({
      contents: patched(path),
      loader: 'js',
    }))
  },
}
