// Puts chunks together. esbuild makes a file of whatever two entries share, some forty at a start, and Node takes the better part of a
// millisecond to find, link and compile each. What is always loaded together becomes one file here.
import { build } from 'esbuild'

/** JavaScript by its name (`chunk-ABC.js`), as esbuild writes it: imports between the files are `import{a as b}from"./chunk-ABC.js"`. */
export type Files = Map<string, string>

const IMPORT = /\b(import|export)\s*\{([^}]*)\}\s*from\s*"\.\/([\w.-]+\.js)"/g
const BARE = /\bimport\s*"\.\/([\w.-]+\.js)"/g
const LATER = /\bimport\("\.\/([\w.-]+\.js)"\)/g
const EXPORTS = /\bexport\s*\{([^}]*)\}\s*;?\s*$/

const namesOf = (list: string) =>
  list
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)
    .map((one) => one.split(/\s+as\s+/))
    .map(([name = '', as = name]) => ({ name, as }))

/** The names that a file exports. */
const exportsOf = (text: string) => namesOf(EXPORTS.exec(text)?.[1] ?? '').map(({ as }) => as)

/** `members` as the one file `name`; in the others its names are imported from there. */
export async function merge(files: Files, name: string, members: string[]): Promise<Files> {
  const number = new Map(members.map((member, index) => [member, index]))
  const renamed = (member: string, exported: string) => `m${number.get(member)}_${exported}`
  const lines = members.map((member) => {
    const list = exportsOf(files.get(member) ?? '').map((one) => `${one} as ${renamed(member, one)}`)
    return list.length > 0 ? `export { ${list.join(', ')} } from './${member}'` : `import './${member}'`
  })
  const imported = (from: string) => [
    ...new Set(
      members
        .flatMap((member) => [...(files.get(member) ?? '').matchAll(IMPORT)])
        .flatMap(([, , list = '', file]) => (file === from ? namesOf(list).map(({ name: one }) => one) : [])),
    ),
  ]
  const { outputFiles } = await build({
    stdin: { contents: lines.join('\n'), resolveDir: '/', sourcefile: name },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minify: true,
    charset: 'ascii',
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [
      {
        name: 'chunks',
        setup(build) {
          // What is loaded later stays an `import()` of its entry, also where that is in this very file: esbuild would wrap every chunk in a function
          // to delay one of them, and V8 then parses the whole file twice.
          build.onResolve({ filter: /^\.\// }, ({ path, kind, namespace }) => {
            const file = path.slice(2)
            if (kind === 'dynamic-import' || namespace === 'outside') return { path, external: true }
            return { path: file, namespace: number.has(file) ? 'chunk' : 'outside' }
          })
          // All members import another file's names through this one, so that they become one `import`, not one for each.
          build.onLoad({ filter: /.*/, namespace: 'outside' }, ({ path }) => ({
            contents: `export { ${imported(path).join(', ')} } from './${path}'`,
            loader: 'js',
          }))
          build.onLoad({ filter: /.*/, namespace: 'chunk' }, ({ path }) => ({
            contents: files.get(path) ?? '',
            loader: 'js',
          }))
        },
      },
    ],
  })
  /** Each file takes Node as long to load as a tenth of the program: an `import()` of an entry is one of the whole file. */
  const later = (text: string) =>
    text.replace(LATER, (whole, file: string) => {
      if (!number.has(file)) return whole
      const list = exportsOf(files.get(file) ?? '').map((one) => `${one}:e.${renamed(file, one)}`)
      return `import("./${name}").then(e=>({${list.join(',')}}))`
    })
  const result: Files = new Map()
  for (const [file, text] of files) {
    if (number.has(file)) continue
    const rewritten = later(text)
      .replace(IMPORT, (whole, word: string, list: string, from: string) =>
        number.has(from)
          ? `${word}{${namesOf(list)
              .map(({ name: one, as }) => `${renamed(from, one)} as ${as}`)
              .join(',')}}from"./${name}"`
          : whole,
      )
      .replace(BARE, (whole, from: string) => (number.has(from) ? `import"./${name}"` : whole))
    result.set(file, rewritten)
  }
  result.set(name, later(outputFiles[0]?.text ?? ''))
  return result
}
