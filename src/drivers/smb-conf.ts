// Sections of smb.conf as text: what `net conf` and `testparm` print, and what `net conf import` reads. The trap: Samba joins a line that ends
// in a backslash with the next one, and takes blanks off both ends of a value; what it would read otherwise than it was meant is refused.
import { invalid } from '../errors.ts'

export interface Section {
  name: string
  /** In the order of the text; names are Samba's own, in lower case. */
  parameters: Map<string, string>
}

const NAME = /^[^\p{Cc}\p{Zl}\p{Zp}[\]\\]+$/u
const PARAMETER = /^[A-Za-z][A-Za-z0-9 _:*-]*$/
const VALUE = /^[^\p{Cc}\p{Zl}\p{Zp}]*$/u

/** Throws the 400 that names the parameter when the text would not say what was meant (SEC-03). */
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

/** Lines of no known shape are passed over: the programs print remarks between the sections. */
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

/** Items as one value: in double quotes where one holds what would end it. None may hold a quote itself. */
export const formatList = (items: readonly string[]): string =>
  items.map((item) => (/[\s,;]/.test(item) ? `"${item}"` : item)).join(', ')

/** The items of a list: between blanks or commas, in double quotes where they hold one. */
export const parseList = (text: string): string[] =>
  (text.match(/(?:"[^"]*"|[^\s,;"])+/g) ?? []).map((item) => item.replaceAll('"', ''))

/** Samba's words for yes and no; `otherwise` for anything else. */
export function parseFlag(text: string | undefined, otherwise: boolean): boolean {
  if (text === undefined) return otherwise
  if (/^(?:yes|true|on|1)$/i.test(text)) return true
  return /^(?:no|false|off|0)$/i.test(text) ? false : otherwise
}
