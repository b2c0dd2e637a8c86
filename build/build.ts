// Builds dist/: the program, which needs no node_modules, in a folder of its own; the small file that starts it; the console's page; the
// package.json of what is installed; and NOTICE and sbom.json: what is in them, and its licenses.
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { transform } from 'esbuild'
import { buildPage } from './build-page.ts'
import { bundle } from './bundle.ts'
import { notice } from './notice.ts'
import { bill } from './sbom.ts'
import { shippedPackages, usedByUs, wordList } from './shipped.ts'

const START = 'dist/edge-admin.js'

const program = await bundle('dist')
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
// install.sh reads the folder from this line.
writeFileSync(`${START}.new`, code.replace('./main.ts', `./${program.folder}/main.js`))
chmodSync(`${START}.new`, 0o755)
renameSync(`${START}.new`, START)
for (const folder of readdirSync('dist/lib'))
  if (`lib/${folder}` !== program.folder) rmSync(join('dist/lib', folder), { recursive: true })

const page = await buildPage()
const outputs = {
  ...Object.fromEntries(Object.entries(program.outputs).map(([file, output]) => [join('dist', file), output])),
  ...page.outputs,
}
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
