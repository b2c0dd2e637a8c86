// LIO, the kernel's iSCSI target: its current state, and changes to it through scripts/lio.sh. After a kill between two
// steps the tree may be incomplete; a folder without its link, or a device that is not enabled, is returned as it is.

import { type Tool, toolMessage } from './programs.ts'
import { CommandError } from './run.ts'

/** One change: `[operation, path, value]`, with paths below the target folder of configfs. */
export type Step = readonly [
  operation: 'device' | 'mkdir' | 'rmdir' | 'link' | 'unlink' | 'write',
  path: string,
  value?: string,
]

/** A device that can be mapped as a LUN. */
export interface Backstore {
  /** Its folder: `core/iblock_0/NAME`. */
  path: string
  /** rtslib's name for it: `block/NAME`, `fileio/NAME`. */
  name: string
  device: string
  enabled: boolean
  serial: string
  bytes: number | undefined
}

/** A LUN of a portal group or of an initiator: `link` is the name of its link, `to` the device. */
export interface LiveLun {
  id: number
  link: string | undefined
  to: string | undefined
}

export interface Chap {
  username: string
  password: string
}

/** What proves who an initiator is, and what proves to him who the target is. */
export interface Credentials {
  chap: Chap | undefined
  mutual: Chap | undefined
}

export interface LiveSession {
  /** How the initiator calls itself: often its host name. */
  alias: string
  /** The kernel's word without its prefix, in small letters: `logged_in`, `failed`. */
  state: string
  /** Where its connections come from. */
  addresses: string[]
}

export interface LiveAcl extends Credentials {
  initiator: string
  luns: LiveLun[]
  /** The kernel shows one, the last, also of an initiator with several. */
  session: LiveSession | undefined
}

export interface LiveTarget extends Credentials {
  iqn: string
  /** Portal groups. Edge Admin makes one, number 1; the other members describe the first. */
  tags: number[]
  enabled: boolean
  alias: string
  attributes: Record<string, string>
  portals: string[]
  luns: LiveLun[]
  acls: LiveAcl[]
  /** Initiators that are logged in without an ACL (demo mode). */
  dynamic: string[]
}

export interface LioState {
  backstores: Backstore[]
  targets: LiveTarget[]
  /** Folders of core, including empty ones: `iblock_0`. */
  hbas: string[]
}

/** A step that the kernel refused. `words` is the system's message. */
export class StepError extends Error {
  declare readonly step: Step
  readonly words: string

  constructor(step: Step, words: string, cause: unknown) {
    super(`LIO: ${step[0]} ${step[1]}: ${words}`, { cause })
    this.name = 'StepError'
    // Not enumerable: a log prints an error's members, and the written value may be a password.
    Object.defineProperty(this, 'step', { value: step, enumerable: false })
    this.words = words
  }
}

export interface Lio {
  read: () => Promise<LioState>
  /**
   * Makes these changes, one by one. Rejects with the StepError of the first that is refused; the earlier ones stay
   * made.
   */
  apply: (steps: Step[]) => Promise<void>
}

export function createLio(tool: Tool): Lio {
  return {
    async read() {
      const { stdout } = await tool('lio', ['read'], { maxBytes: 32 << 20, timeout: 30_000 })
      return parseLio(stdout)
    },
    async apply(steps) {
      if (steps.length === 0) return
      const lines = steps.map((step) => {
        // A value that could be read as two lines, or as another operation, is never sent (SEC-03).
        if (step.some((part) => /[\x00-\x1f]/.test(part ?? '')))
          throw new Error(`a control character in ${step[0]} ${step[1]}`)
        return `${step.join('\t')}\n`
      })
      try {
        await tool('lio', ['apply'], { input: lines.join(''), timeout: 60_000 })
      } catch (error) {
        const done = error instanceof CommandError ? /^after (\d+)$/m.exec(error.stderr)?.[1] : undefined
        const step = steps[Number(done)]
        throw step ? new StepError(step, lastWords(error as CommandError), error) : error
      }
    },
  }
}

/** `tee: core/x/enable: Device or resource busy`, without the program and the path. */
const lastWords = (error: CommandError) => {
  const words = toolMessage(error).split(': ').at(-1) ?? ''
  return /^after \d+$/.test(words) ? 'refused without a word' : words
}

export function parseLio(text: string): LioState {
  const root = new Map<string, Node>()
  for (const line of text.split('\n')) {
    const [, path = '', value] = /^([^\t]*)(?:\t(.*))?$/s.exec(line) ?? []
    let node: Node = { lines: [], nodes: root }
    for (const part of path.split('/').filter(Boolean)) {
      const inner = node.nodes.get(part) ?? { lines: [], nodes: new Map() }
      node.nodes.set(part, inner)
      node = inner
    }
    if (value !== undefined) node.lines.push(value)
  }
  const hbas = children(root.get('core'))
  return {
    hbas: hbas.map(([name]) => name),
    backstores: hbas.flatMap(([hba, node]) => children(node).map(([name, store]) => readBackstore(hba, name, store))),
    targets: children(root.get('iscsi')).map(([iqn, node]) => readTarget(iqn, node)),
  }
}

interface Node {
  lines: string[]
  nodes: Map<string, Node>
}

const children = (node: Node | undefined) => [...(node?.nodes ?? [])]
const at = (node: Node | undefined, path: string) =>
  path.split('/').reduce((inner: Node | undefined, part) => inner?.nodes.get(part), node)
const line = (node: Node | undefined, path: string) => at(node, path)?.lines[0] ?? ''

/** rtslib's name for a kind of backstore, where the kernel has another. */
const PLUGINS: Readonly<Record<string, string>> = { iblock: 'block', rd_mcp: 'ramdisk' }

function readBackstore(hba: string, name: string, node: Node): Backstore {
  const kind = hba.replace(/_\d+$/, '')
  const info = at(node, 'info')?.lines.join('\n') ?? ''
  const sectors = line(node, 'sectors')
  const fileSize = /\bSize: (\d+)/.exec(info)?.[1]
  return {
    path: `core/${hba}/${name}`,
    name: `${PLUGINS[kind] ?? kind}/${name}`,
    device: line(node, 'udev_path'),
    enabled: line(node, 'enable') === '1',
    serial: line(node, 'wwn/vpd_unit_serial').replace(/^T10 VPD Unit Serial Number:\s*/, ''),
    // The kernel counts in units of 512 bytes, whatever the device's sector size.
    bytes: sectors === '' ? (fileSize === undefined ? undefined : Number(fileSize)) : Number(sectors) * 512,
  }
}

function readTarget(iqn: string, node: Node): LiveTarget {
  const groups = children(node).filter(([name]) => /^tpgt_\d+$/.test(name))
  const group = groups[0]?.[1]
  return {
    iqn,
    tags: groups.map(([name]) => Number(name.slice('tpgt_'.length))),
    enabled: line(group, 'enable') === '1',
    alias: line(group, 'param/TargetAlias'),
    attributes: Object.fromEntries(children(at(group, 'attrib')).map(([name, { lines }]) => [name, lines[0] ?? ''])),
    portals: children(at(group, 'np')).map(([name]) => name),
    luns: readLuns(at(group, 'lun')),
    acls: children(at(group, 'acls')).map(([initiator, acl]) => ({
      initiator,
      luns: readLuns(acl),
      ...readCredentials(acl),
      session: readSession(at(acl, 'info')?.lines ?? []),
    })),
    ...readCredentials(group),
    dynamic: at(group, 'dynamic_sessions')?.lines.filter(Boolean) ?? [],
  }
}

/**
 * `InitiatorName: …` is the first line, unless there is no session. A hazard: the initiator chooses its alias, and the
 * kernel takes one of several lines: what counts is behind the last `Session State: `, which nobody else writes.
 */
function readSession(info: string[]): LiveSession | undefined {
  if (!info[0]?.startsWith('InitiatorName:')) return undefined
  const at = info.findLastIndex((text) => text.startsWith('Session State: '))
  const own = info.slice(at).join('\n')
  const addresses = [...own.matchAll(/^ *Address (\S+) /gm)].map(([, address = '']) => address)
  return {
    alias: (info[1] ?? '')
      .replace(/^InitiatorAlias: /, '')
      .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '\ufffd')
      .trim(),
    state: (/^Session State: TARG_SESS_(?:STATE_)?(\w+)/.exec(own)?.[1] ?? '').toLowerCase(),
    addresses: [...new Set(addresses)],
  }
}

const readCredentials = (node: Node | undefined): Credentials => ({
  chap: readChap(node, ''),
  mutual: readChap(node, '_mutual'),
})

/** The kernel treats a value that begins with NULL as unset, but still shows it. */
function readChap(node: Node | undefined, suffix: '' | '_mutual'): Chap | undefined {
  const [username, password] = [line(node, `auth/userid${suffix}`), line(node, `auth/password${suffix}`)]
  return [username, password].some((text) => text === '' || text.startsWith('NULL'))
    ? undefined
    : { username, password }
}

const readLuns = (node: Node | undefined): LiveLun[] =>
  children(node)
    .filter(([name]) => /^lun_\d+$/.test(name))
    .map(([name, lun]) => {
      const [link, target] = children(lun).find(([, { lines }]) => lines[0]?.startsWith('-> ') === true) ?? []
      return { id: Number(name.slice('lun_'.length)), link, to: target?.lines[0]?.slice('-> '.length) }
    })
    .sort((a, b) => a.id - b.id)
