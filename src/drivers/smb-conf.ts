// Sections of smb.conf as text: the output of `net conf` and `testparm`, and the input of `net conf import`. Samba
// joins a line that ends in a backslash with the next one, and trims values; a text that it would read differently than
// intended is refused.
import { invalid } from '../errors.ts'

export interface Section {
  name: string
  /** In the order of the text; names are Samba's own, in lower case. */
  parameters: Map<string, string>
}

const NAME = /^[^\p{Cc}\p{Zl}\p{Zp}[\]\\]+$/u
const PARAMETER = /^[A-Za-z][A-Za-z0-9 _:*-]*$/
const VALUE = /^[^\p{Cc}\p{Zl}\p{Zp}]*$/u

/** Throws a 400 that names the parameter if the text would not mean what was asked for (SEC-03). */
export function serializeSection({ name, parameters }: Section): string {
  if (!NAME.test(name) || name.trim() !== name) throw refused('name')
  const lines = [...parameters].map(([parameter, value]) => {
    const plain = VALUE.test(value) && value.trim() === value && !value.endsWith('\\')
    if (!PARAMETER.test(parameter) || parameter.trim() !== parameter || !plain) throw refused(parameter)
    return `\t${parameter} = ${value}\n`
  })
  return `[${name}]\n${lines.join('')}`
}

const refused = (field: string) => invalid('Samba’s configuration cannot hold this value', { details: { field } })

/** Other lines are skipped: the programs print remarks between the sections. */
export function parseSections(text: string): Section[] {
  const sections: Section[] = []
  for (const line of text.split('\n')) {
    const name = /^\[(.+)\]\s*$/.exec(line)?.[1]
    if (name !== undefined) sections.push({ name, parameters: new Map() })
    const [, parameter, value = ''] = /^\s+([^=]*[^=\s])\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (parameter !== undefined) sections.at(-1)?.parameters.set(parameter.toLowerCase(), value)
  }
  return sections
}

/** Joins items to one value, in double quotes where an item contains a separator. No item may contain a quote. */
export const formatList = (items: readonly string[]): string =>
  items.map((item) => (/[\s,;]/.test(item) ? `"${item}"` : item)).join(', ')

/** Splits a list at spaces and commas; items with separators are in double quotes. */
export const parseList = (text: string): string[] =>
  (text.match(/(?:"[^"]*"|[^\s,;"])+/g) ?? []).map((item) => item.replaceAll('"', ''))

/** Samba's words for yes and no; `otherwise` for anything else. */
export function parseFlag(text: string | undefined, otherwise: boolean): boolean {
  if (text === undefined) return otherwise
  if (/^(?:yes|true|on|1)$/i.test(text)) return true
  return /^(?:no|false|off|0)$/i.test(text) ? false : otherwise
}
