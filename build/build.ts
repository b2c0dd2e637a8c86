// Bundles src/main.ts into one file that needs no node_modules, with the small one that starts it, the console's page and the package.json of what is installed beside it, and
// writes NOTICE and sbom.json: what is in them, and its licenses. The trap: busboy and pino are CommonJS and call `require`, hence the banner.
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, transform } from 'esbuild'
import { buildPage } from './build-page.ts'
import { notice } from './notice.ts'
import { bill } from './sbom.ts'
import { shippedPackages, usedByUs, wordList } from './shipped.ts'
import { trim } from './trim.ts'

const OUT = 'dist/main.js'
const START = 'dist/edge-admin.js'

/** By which `edge-admin check` tells the scripts of this version from others. */
const scripts = Object.fromEntries(
  readdirSync('scripts')
    .filter((name) => !['README.md', 'settings'].includes(name))
    .sort()
    .map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join('scripts', name)))
        .digest('hex'),
    ]),
)

const { metafile } = await build({
  entryPoints: ['src/main.ts'],
  outfile: OUT,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
  // An appliance is Linux: what packages do on other systems falls away.
  define: { 'process.platform': '"linux"', EDGE_SCRIPTS: JSON.stringify(scripts) },
  // One character outside Latin-1, and V8 keeps the whole text in two bytes a character: 0.9 MB. Where esbuild may not escape it (String.raw), write another.
  charset: 'ascii',
  plugins: [trim],
  metafile: true,
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);",
  },
})

const { name, version, description, license, type, engines } = JSON.parse(readFileSync('package.json', 'utf8'))
writeFileSync('dist/package.json', `${JSON.stringify({ name, version, license, type, engines }, null, 2)}\n`)

const needed = /^>=([0-9]+\.[0-9]+)$/.exec(engines.node)?.[1]
if (!needed) throw new Error(`package.json: engines.node is not of the form >=20.19: ${engines.node}`)
const { code } = await transform(readFileSync('src/start.ts', 'utf8'), {
  loader: 'ts',
  target: 'es2015',
  supported: { 'dynamic-import': true },
  define: { NEEDED: JSON.stringify(needed) },
  minifySyntax: true,
})
writeFileSync(START, code.replace('./main.ts', './main.js'))
chmodSync(START, 0o755)

const page = await buildPage()
const outputs = { ...metafile.outputs, ...page.outputs }
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
const words = wordList()
const shipped = [...shippedPackages(outputs, packages), words]
const files = Object.fromEntries(
  [...Object.keys(outputs), START].sort().map((file) => [file.replace(/^dist\//, ''), readFileSync(file)]),
)
const uses = [...usedByUs(outputs), words.name]
const text = existsSync('LICENSE') ? readFileSync('LICENSE', 'utf8').trim() : ''
writeFileSync('dist/NOTICE', notice({ name, version, license, text }, shipped))
writeFileSync(
  'dist/sbom.json',
  `${JSON.stringify(bill({ name, version, description, license, files, uses }, shipped), null, 2)}\n`,
)
