// Reads and writes the exports(5) text of our file in /etc/exports.d, and reads the output of `exportfs -s`. A space, a
// quote or a `#` ends a path, so everything except plain characters is written as octal escapes; control characters are
// refused.
import { invalid } from '../errors.ts'

/** An export of Edge Admin. A disabled one is kept as a comment. */
export interface Export {
  id: string
  dataset: string
  path: string
  /** The path is a mount point: it must not be exported while nothing is mounted there. */
  mounted: boolean
  clients: string[]
  readOnly: boolean
  rootSquash: boolean
  /** Everybody is taken for this user and group; root too, whatever `rootSquash` says. */
  squash?: Squash | undefined
  enabled: boolean
}

export interface Squash {
  uid: number
  gid: number
}

/** One exported path and client: `options` as `exportfs` prints them. */
export interface Active {
  path: string
  client: string
  options: string[]
}

const TITLE = '# Written by edge-admin, and by nobody else: exports of your own belong into another file.'
const HEAD = /^# edge-admin (nfs-[0-9a-f]{12}) ([A-Za-z](?:[A-Za-z0-9_.:/-]|\\040)*)( off)?$/
const CLIENT = /^[A-Za-z0-9@*?.:/_![\]-]+$/

export const escapePath = (path: string) =>
  [...Buffer.from(path)]
    .map((byte) => {
      const character = String.fromCharCode(byte)
      return /[A-Za-z0-9/_.:@+-]/.test(character) ? character : `\\${byte.toString(8).padStart(3, '0')}`
    })
    .join('')

function unescapePath(text: string): string {
  const bytes = text.split(/(\\[0-7]{3})/).map((part) => {
    return /^\\[0-7]{3}$/.test(part) ? Buffer.from([Number.parseInt(part.slice(1), 8)]) : Buffer.from(part)
  })
  return Buffer.concat(bytes).toString('utf8')
}

type Optional = 'readOnly' | 'rootSquash' | 'mounted' | 'squash'
const optionsOf = ({ readOnly, rootSquash, mounted, squash }: Pick<Export, Optional>) =>
  [
    readOnly ? 'ro' : 'rw',
    'sync',
    rootSquash ? 'root_squash' : 'no_root_squash',
    'no_subtree_check',
    ...(squash ? ['all_squash', `anonuid=${squash.uid}`, `anongid=${squash.gid}`] : []),
    ...(mounted ? ['mp'] : []),
  ].join(',')

/** Throws a 400 that names the member if the text would not mean what was asked for (SEC-03). */
function serializeExport({
  id,
  dataset,
  path,
  mounted,
  clients,
  readOnly,
  rootSquash,
  squash,
  enabled,
}: Export): string {
  const name = dataset.replaceAll(' ', '\\040')
  const head = `# edge-admin ${id} ${name}${enabled ? '' : ' off'}`
  const refuse = (field: string) => invalid('An export cannot hold this value', { details: { field } })
  if (HEAD.exec(head)?.[2] !== name || dataset.includes('\\')) throw refuse('dataset')
  if (!path.startsWith('/') || /\p{Cc}/u.test(path)) throw refuse('path')
  if (clients.length === 0 || !clients.every((client) => CLIENT.test(client))) throw refuse('clients')
  const options = optionsOf({ readOnly, rootSquash, mounted, squash })
  const line = `${escapePath(path)} ${clients.map((client) => `${client}(${options})`).join(' ')}`
  return `${head}\n${enabled ? '' : '#'}${line}\n`
}

/** `others` are lines that somebody added to our file; they are kept. */
export function serializeExports(exports: Export[], others: string[] = []): string {
  return `${TITLE}\n${exports.map(serializeExport).join('')}${others.map((line) => `${line}\n`).join('')}`
}

export function parseExports(text: string): { exports: Export[]; others: string[] } {
  const exports: Export[] = []
  const others: string[] = []
  const lines = text.split('\n').filter((line) => line !== '' && line !== TITLE)
  for (let i = 0; i < lines.length; i++) {
    const found = parsePair(lines[i] ?? '', lines[i + 1] ?? '')
    if (found) i++
    if (found) exports.push(found)
    else others.push(lines[i] ?? '')
  }
  return { exports, others }
}

function parsePair(head: string, line: string): Export | undefined {
  const [, id, dataset, off] = HEAD.exec(head) ?? []
  if (id === undefined || dataset === undefined || line.startsWith('#') !== (off !== undefined)) return undefined
  const [path = '', ...rest] = line.replace(/^#/, '').split(' ')
  const clients = rest.map((one) => /^([^()]+)\(([a-z0-9_,=]+)\)$/.exec(one))
  const words = clients[0]?.[2] ?? ''
  const options = words.split(',')
  const [mounted, readOnly, rootSquash] = ['mp', 'ro', 'root_squash'].map((word) => options.includes(word)) as [
    boolean,
    boolean,
    boolean,
  ]
  const numberOf = (word: string) => Number(new RegExp(`^.*,${word}=(\\d{1,10}),`).exec(`${words},`)?.[1])
  const squash = options.includes('all_squash') ? { uid: numberOf('anonuid'), gid: numberOf('anongid') } : undefined
  // Options that we never write were added by hand. An export rewritten without them (all_squash, no `ro`) would be
  // open to more clients than before.
  if (words !== optionsOf({ mounted, readOnly, rootSquash, squash })) return undefined
  if (!path.startsWith('/') || clients.some((one) => one?.[2] !== words)) return undefined
  return {
    id,
    dataset: unescapePath(dataset),
    path: unescapePath(path),
    mounted,
    clients: clients.map((one) => one?.[1] ?? ''),
    readOnly,
    rootSquash,
    squash,
    enabled: off === undefined,
  }
}

/** The output of `exportfs -s`: a path, spaces, a client with its options. */
export function parseActive(text: string): Active[] {
  return text.split('\n').flatMap((line) => {
    const [, path, client, options] = /^(\/\S*)\s+([^\s()]+)\(([^()]*)\)$/.exec(line.trimEnd()) ?? []
    if (path === undefined || client === undefined || options === undefined) return []
    return [{ path: unescapePath(path), client, options: options.split(',') }]
  })
}
