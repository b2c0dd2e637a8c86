// Bundles src/main.ts into one file that needs no node_modules, the console's page beside it, and writes NOTICE: the licences of what is in it. The trap: busboy and
// pino are CommonJS and call `require`, hence the banner; its first line makes the file a program.
import { createHash } from 'node:crypto'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { buildPage } from './build-page.ts'
import { trim } from './trim.ts'

const OUT = 'dist/edge-admin.js'

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
    js: "#!/usr/bin/env node\nimport { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);",
  },
})
chmodSync(OUT, 0o755)

const page = await buildPage()
const packages = new Set<string>()
for (const input of Object.keys({ ...metafile.inputs, ...page.inputs })) {
  const name = /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]
  if (name) packages.add(name)
}
writeFileSync(
  'dist/NOTICE',
  `edge-admin.js contains these packages, each under its own licence.\n${[...packages].sort().map(notice).join('')}`,
)

function notice(name: string): string {
  const folder = join('node_modules', name)
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  // busboy's is the form of long ago.
  const license = manifest.license ?? manifest.licenses.map(({ type }: { type: string }) => type).join(', ')
  const text = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim())
    .join('\n\n')
  return `\n${'='.repeat(72)}\n${name} ${manifest.version} (${license})\n\n${text || 'The package brings no licence text of its own.'}\n`
}
