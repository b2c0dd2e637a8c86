// NOTICE: the licenses of what is in the product, as texts. It names what sbom.json names, both from the same list
// (shipped.ts).
import type { Shipped } from './shipped.ts'

interface Product {
  name: string
  version: string
  license: string
  /** The product's own license, once there is one. */
  text: string
}

const RULE = '='.repeat(72)

export function notice({ name, version, license, text }: Product, shipped: Shipped[]): string {
  const granted =
    license === 'UNLICENSED' ? 'UNLICENSED: no license has been granted, all rights are reserved' : license
  return [
    `${name} ${version}\nLicense: ${granted}\n${text && `\n${text}\n`}`,
    `It contains these works of others, each under its own license. The same list for programs is sbom.json.\n`,
    ...shipped.map(section),
  ].join('\n')
}

function section({ name, version, license, files, text }: Shipped): string {
  const words = text || 'The package brings no license text of its own.'
  return `${RULE}\n${name} ${version} (${license})\nin ${files.join(', ')}\n\n${words}\n`
}
