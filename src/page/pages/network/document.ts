// The settings document as a person edits it, and the effect of a change. POST replaces the whole document, so members
// that this page does not know are sent back unchanged.

export interface Settings {
  network: Record<string, unknown>
  app: Record<string, unknown>
}

export const LABELS = {
  hostname: 'Host name',
  interface: 'Interface',
  ip_address: 'IP address',
  netmask: 'Netmask',
  gateway: 'Gateway',
  dns1: 'First DNS server',
  dns2: 'Second DNS server',
  ntpserver: 'Time server',
} as const
export type Name = keyof typeof LABELS
const NAMES = Object.keys(LABELS) as Name[]
/** All three together make a static address; without them it is DHCP. */
const STATIC: Name[] = ['ip_address', 'netmask', 'gateway']

/** A member of `app`; anything but text, number or boolean is edited as JSON. */
export interface Member {
  name: string
  kind: 'text' | 'number' | 'check' | 'json'
  text: string
}

export interface Draft {
  mode: 'dhcp' | 'static'
  network: Record<Name, string>
  app: Member[]
}

const text = (value: unknown) => (typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value))

const modeOf = (network: Record<string, unknown>) => (STATIC.some((name) => network[name]) ? 'static' : 'dhcp')

export function draftOf({ network, app }: Settings): Draft {
  return {
    mode: modeOf(network),
    network: Object.fromEntries(NAMES.map((name) => [name, text(network[name])])) as Draft['network'],
    app: Object.entries(app).map(([name, value]) => ({ name, kind: kindOf(value), text: text(value) })),
  }
}

const kindOf = (value: unknown): Member['kind'] =>
  typeof value === 'string'
    ? 'text'
    : typeof value === 'number'
      ? 'number'
      : typeof value === 'boolean'
        ? 'check'
        : 'json'

/** The document to send. Throws an Error whose message helps the user. */
export function settingsOf(before: Settings, { mode, network, app }: Draft): Settings {
  // Members that only the appliance writes, and those that the mode leaves out.
  const { mode: _, ...kept } = before.network
  for (const name of NAMES) {
    const value = network[name].trim()
    if (value === '' || (mode === 'dhcp' && STATIC.includes(name))) delete kept[name]
    else kept[name] = value
  }
  return { network: kept, app: Object.fromEntries(app.map((member) => [member.name, readMember(member)])) }
}

function readMember({ name, kind, text }: Member): unknown {
  if (kind === 'text') return text
  try {
    const value: unknown = JSON.parse(text)
    if (kind !== 'number' || typeof value === 'number') return value
  } catch {
    // Reported separately below.
  }
  throw new Error(`${name}: expected ${kind === 'number' ? 'a number' : 'JSON'}`)
}

export interface Change {
  name: string
  label: string
  from: string
  to: string
}

const MODES = { dhcp: 'DHCP', static: 'static' }

/** The changes, member by member. */
export function changesOf(before: Settings, after: Settings): Change[] {
  const modes = [before, after].map(({ network }) => MODES[modeOf(network)]) as [string, string]
  const network = difference(before.network, after.network, (name) => LABELS[name as Name] ?? name)
  const app = difference(before.app, after.app, (name) => `Application: ${name}`).map((change) => ({
    ...change,
    name: `app.${change.name}`,
  }))
  const mode =
    modes[0] === modes[1] ? [] : [{ name: 'mode', label: 'Address configuration', from: modes[0], to: modes[1] }]
  return [...mode, ...network.filter(({ name }) => name !== 'mode'), ...app]
}

function difference(
  before: Record<string, unknown>,
  after: Record<string, unknown>,
  label: (name: string) => string,
): Change[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .map((name) => ({ name, label: label(name), from: text(before[name]), to: text(after[name]) }))
    .filter(({ from, to }) => from !== to)
}

/** Whether the appliance may have another address afterwards. */
export const movesAddress = (changes: Change[]) =>
  changes.some(({ name }) => name === 'mode' || name === 'interface' || STATIC.includes(name as Name))

/** The console's new address; undefined if only the DHCP server knows it. `port` as in `location.port`. */
export function newAddress({ network }: Settings, port: string): string | undefined {
  const address = text(network['ip_address'])
  if (modeOf(network) === 'dhcp' || address === '') return undefined
  const host = address.includes(':') ? `[${address}]` : address
  return `https://${host}${port ? `:${port}` : ''}/`
}
