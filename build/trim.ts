// What the bundle leaves out of its packages: parts that they load for features that we never call. A stub that is
// called after all must fail loudly, so it is an empty module; test/unit/bundle.test.ts starts the bundle and uses what
// is near the stubs.
import { readFileSync } from 'node:fs'
import type { Plugin } from 'esbuild'

/** By package: the files that become empty, and why nothing here calls them. */
const UNUSED: Record<string, RegExp> = {
  // We sign one certificate with RSA PKCS#1 v1.5: no ciphers, no PSS, no keys of forge's own making (Node makes them).
  'node-forge': /\/node-forge\/lib\/(aes|des|pss|mgf|prime)\.js$/,
  // pino is given a stream of ours (store/buffered-log.ts): no transports, no files of its own, nothing to flush at exit.
  pino: /\/(pino\/lib\/(transport|multistream)|on-exit-leak-free\/index)\.js$/,
  // Counters, gauges and a registry of each scrape's own (features/metrics): nothing is sampled, collected or sent.
  'prom-client':
    /\/prom-client\/lib\/(histogram|summary|pushgateway|defaultMetrics|cluster|bucketGenerators|metricAggregators)\.js$/,
  // busboy sees multipart only; url-encoded forms are ours (http/body/query.ts).
  busboy: /\/busboy\/lib\/types\/urlencoded\.js$/,
}

const FORGE_RANDOM = /\/node-forge\/lib\/random\.js$/
const SAFE_STRINGIFY = /\/safe-stable-stringify\/index\.js$/
const SONIC_BOOM = /\/sonic-boom\/index\.js$/

/** Whether nothing of the file is in the bundle, although it is named there. */
export const isCut = (file: string) =>
  [...Object.values(UNUSED), FORGE_RANDOM, SONIC_BOOM, SAFE_STRINGIFY].some((one) => one.test(file))

/** forge's generator is AES in JavaScript, seeded by Node's; for the blinding of a signature Node's own bytes are as good. */
const RANDOM = `require('./sha256')
const { randomBytes } = require('node:crypto')
require('./forge').random = { getBytes: (count) => randomBytes(count).toString('binary') }`

/** pino asks of its stream whether it is one of these. */
const NO_SONIC_BOOM = "module.exports = class { constructor() { throw new Error('sonic-boom is left out') } }"

/** What pino takes for an object that holds itself. JSON.stringify refuses that one, and pino then writes a sentence in its place. */
const PLAIN_STRINGIFY = 'exports.configure = () => JSON.stringify'

/** systeminformation as a module, with only the functions that /health calls, so that the bundler sees what the others alone need. */
const INFORMATION: Record<string, string> = { memory: 'mem' }

function asModule(file: string): string {
  const wanted = INFORMATION[/(\w+)\.js$/.exec(file)?.[1] ?? '']
  return readFileSync(file, 'utf8')
    .replace(/^const util = require\('\.\/util'\);/gm, "import * as util from './util.js'")
    .replace(/^exports\.(\w+) = (\w+);/gm, (_, name, value) =>
      wanted && name !== wanted ? '' : `export { ${value} as ${name} };`,
    )
}

export const trim: Plugin = {
  name: 'trim',
  setup(build) {
    for (const filter of Object.values(UNUSED))
      build.onLoad({ filter }, () => ({ contents: 'module.exports = {}', loader: 'js' }))
    build.onLoad({ filter: FORGE_RANDOM }, () => ({ contents: RANDOM, loader: 'js' }))
    build.onLoad({ filter: SAFE_STRINGIFY }, () => ({ contents: PLAIN_STRINGIFY, loader: 'js' }))
    build.onLoad({ filter: SONIC_BOOM }, () => ({ contents: NO_SONIC_BOOM, loader: 'js' }))
    build.onLoad({ filter: /\/systeminformation\/lib\/(filesystem|memory|util)\.js$/ }, ({ path }) => ({
      contents: asModule(path),
      loader: 'js',
    }))
    // We listen for HTTP/1.1 only; node-server asks of each request whether it came by HTTP/2.
    build.onResolve({ filter: /^node:http2$/ }, ({ path }) => ({ path, namespace: 'trim' }))
    build.onLoad({ filter: /^node:http2$/, namespace: 'trim' }, () => ({
      contents: 'export class Http2ServerRequest {}; export const constants = {}',
      loader: 'js',
    }))
  },
}
