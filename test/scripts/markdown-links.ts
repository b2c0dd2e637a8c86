// The links of the Markdown files below a folder that lead nowhere: to no file there, or to no heading of it. A link
// out of the folder works in the repository, and not where a vendor unpacks the folder alone.
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** `FILE: TARGET` of each. `root` stands before what an absolute link of the file system leads to. */
export function brokenLinks(folder: string, root = ''): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .sort()
    .flatMap((name) =>
      linksOf(readFileSync(join(folder, name), 'utf8'))
        .filter((link) => !leadsSomewhere(folder, name, link, root))
        .map((link) => `${name}: ${link}`),
    )
}

/** Without code, and without addresses of the web. */
const linksOf = (text: string) =>
  [...text.replace(/^```[\s\S]*?^```|`[^`\n]*`/gm, '').matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link as string)
    .filter((link) => !/^[a-z][a-z0-9+.-]*:/.test(link))

function leadsSomewhere(folder: string, from: string, link: string, root: string): boolean {
  const [path = '', heading] = link.split('#')
  const file = join(folder, path === '' ? from : join(dirname(from), path))
  if (relative(folder, file).startsWith('..') || !isThere(file, root)) return false
  return heading === undefined || headingsOf(readFileSync(file, 'utf8')).includes(heading)
}

function isThere(file: string, root: string): boolean {
  if (!existsSync(dirname(file))) return false
  const info = lstatSync(file, { throwIfNoEntry: false })
  if (!info?.isSymbolicLink()) return info !== undefined
  return existsSync(join(root, readlinkSync(file)))
}

/** As they are named in addresses: small letters, blanks as hyphens, no other marks. */
const headingsOf = (text: string) =>
  [...text.matchAll(/^#+ +(.*)$/gm)].map(([, words = '']) =>
    words
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
