// Bundles the console's page into dist/console/: one script, one style sheet, beside each a compressed copy, so that no
// request has to compress anything. What is more than the page may weigh fails here, not in somebody's browser.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { constants, gzipSync } from 'node:zlib'
import { build, type Metafile } from 'esbuild'

const SOURCE = 'src/page'
const OUT = 'dist/console'
/** Bytes of everything together, compressed. */
const MOST = 120_000

/** Answers what went into it, for the licenses. */
export async function buildPage(): Promise<Metafile> {
  rmSync(OUT, { recursive: true, force: true })
  mkdirSync(OUT, { recursive: true })
  const { metafile } = await build({
    entryPoints: { app: join(SOURCE, 'main.tsx') },
    outdir: OUT,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    charset: 'utf8',
    jsx: 'automatic',
    jsxImportSource: 'hono/jsx/dom',
    alias: { 'hono/jsx/dom/jsx-runtime': `./${join(SOURCE, 'jsx.ts')}` },
    tsconfig: join(SOURCE, 'tsconfig.json'),
    metafile: true,
  })
  await build({
    entryPoints: { app: join(SOURCE, 'style.css') },
    outdir: OUT,
    minify: true,
    logLevel: 'warning',
    target: 'es2022',
  })
  for (const file of ['index.html', 'icon.svg']) cpSync(join(SOURCE, file), join(OUT, file))
  let total = 0
  for (const file of readdirSync(OUT).sort()) {
    const small = gzipSync(readFileSync(join(OUT, file)), { level: constants.Z_BEST_COMPRESSION })
    writeFileSync(join(OUT, `${file}.gz`), small)
    total += small.length
  }
  if (total > MOST) throw new Error(`the page is ${total} bytes compressed; it may be ${MOST}`)
  return metafile
}
