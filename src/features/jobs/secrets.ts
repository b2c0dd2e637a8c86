// The secrets of this appliance that must not appear in a log: those of the files that scripts/secrets.sh reads, and the accounts'. Under
// sudo this process cannot read all of them; the scripts that can must not print them.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { etc, type Folders } from '../../folders.ts'

/** As bytes, in latin1. */
export function secretsOf(folders: Folders): string[] {
  const { sysconf, state } = folders
  const found: string[] = []
  for (const name of ['api.token', 'api.token.setup']) {
    const line = firstLine(etc(folders, name))
    if (line.startsWith('sha256 ')) found.push(line.slice('sha256 '.length))
    // The key of the old signatures is as good as the token.
    else if (line) found.push(line, createHash('sha256').update(line, 'latin1').digest('hex'))
  }
  found.push(firstLine(etc(folders, 'updates.key')), firstLine(join(state, 'admin.password')))
  const named = [
    ...files(join(folders.root, 'etc'), /\.json$/),
    join(sysconf, 'storage.conf'),
    ...files(sysconf, /\.json$/),
  ]
  found.push(...named.flatMap((file) => namedValues(read(file))))
  const keys = [
    join(sysconf, 'pki/tls/private/enterprise.key'),
    ...files(state, /\.key$/),
    ...files(join(state, 'secrets')),
  ]
  // Lines of private keys, for programs that print them without their first line.
  found.push(
    ...keys.flatMap((file) => lines(read(file)).filter((line) => line.length >= 16 && !line.startsWith('-----'))),
  )
  return found.filter(Boolean)
}

/** Values of members and variables whose name sounds secret, as they are stored and as they are meant. */
export function namedValues(text: string): string[] {
  const pattern =
    /"?[a-z0-9_.-]*(?:passw|secret|token|phrase)[a-z0-9_.-]*"?[ \t]*[:=][ \t]*(?:(["'])((?:\\[\s\S]|(?!\1)[^\\\n])*)|([^ \t,}\n]*))/gi
  return [...text.matchAll(pattern)].flatMap(([, , quoted, bare = '']) =>
    quoted === undefined ? [bare] : [quoted, quoted.replace(/\\(["$`/\\])/g, '$1')],
  )
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

const lines = (text: string) => text.replaceAll('\r', '').split('\n')
const firstLine = (file: string) => lines(read(file))[0] ?? ''

function files(folder: string, name = /./): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries.filter((entry) => entry.isFile() && name.test(entry.name)).map((entry) => join(folder, entry.name))
  } catch {
    return []
  }
}
