// Writes a TypeScript client's types of an OpenAPI document: `types-of.ts DOCUMENT OUTPUT`. openapi-typescript works with TypeScript 5,
// which is installed under another name beside the one that compiles the product.
import { writeFileSync } from 'node:fs'
import { register } from 'node:module'
import { pathToFileURL } from 'node:url'

const HOOK = `export const resolve = (specifier, context, next) =>
  next(specifier === 'typescript' ? 'typescript5' : specifier, context)`
register(`data:text/javascript,${encodeURIComponent(HOOK)}`)

const [, , document = '', output = ''] = process.argv
const { default: make, astToString } = await import('openapi-typescript')
writeFileSync(output, astToString(await make(pathToFileURL(document))))
