// saveconfig.json, from which rtslib (targetctl, targetcli) restores targets at boot, in its format. The trap: others write it too. Entries
// of others are kept as they are, and so is what others added to ours.
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import * as z from 'zod'
import type { Chap } from '../../drivers/lio.ts'
import { ApiError } from '../../errors.ts'
import { readText, writeAtomic } from '../../store/atomic.ts'
import { ensureFolder } from '../../store/ensure-folder.ts'
import { isOurStore, MARK, type Wanted, type WantedLun } from './target.ts'

const Record_ = z.record(z.string(), z.unknown())
const Lun = z.looseObject({ index: z.int(), storage_object: z.string() })
const Portal = z.looseObject({ ip_address: z.string(), port: z.int() })
const text = z.string().optional()
const secrets = { chap_userid: text, chap_password: text, chap_mutual_userid: text, chap_mutual_password: text }
const Acl = z.looseObject({ node_wwn: z.string(), ...secrets })
const Group = z.looseObject({
  tag: z.int().optional(),
  enable: z.boolean().optional(),
  attributes: Record_.optional(),
  parameters: Record_.optional(),
  luns: z.array(Lun).optional(),
  portals: z.array(Portal).optional(),
  node_acls: z.array(Acl).optional(),
  ...secrets,
})
const Target = z.looseObject({ wwn: z.string(), fabric: z.string(), tpgs: z.array(Group).optional() })
const Store = z.looseObject({ name: z.string(), plugin: z.string(), dev: z.unknown(), wwn: z.unknown() })
const Document = z.looseObject({ storage_objects: z.array(Store).default([]), targets: z.array(Target).default([]) })
type Document = z.infer<typeof Document>
type Target = z.infer<typeof Target>
type Group = z.infer<typeof Group>
type Store = z.infer<typeof Store>

const BACKSTORES = '/backstores/'
const nameOf = ({ plugin, name }: Store) => `${plugin}/${name}`
const storeOf = ({ storage_object }: { storage_object: string }) => storage_object.replace(BACKSTORES, '')

/** Debian's rtslib keeps it in another folder. */
export const defaultSaved = () =>
  ['/etc/rtslib-fb-target', '/etc/target']
    .map((folder) => `${folder}/saveconfig.json`)
    .find((file) => existsSync(dirname(file))) ?? '/etc/target/saveconfig.json'

/** The file as it is; empty when there is none. Throws when it is not what rtslib writes: it would be lost with the next change. */
export function readSaved(file: string): Document {
  const text = readText(file)
  if (text === undefined || text.trim() === '') return Document.parse({})
  try {
    return Document.parse(JSON.parse(text))
  } catch (cause) {
    throw new ApiError(
      'unavailable',
      'The saved iSCSI configuration is damaged; targetcli saveconfig writes a new one',
      {
        cause,
      },
    )
  }
}

export function writeSaved(file: string, saved: Document): void {
  ensureFolder(dirname(file), 0o700)
  writeAtomic(file, `${JSON.stringify(saved, undefined, 2)}\n`, 0o600)
}

const isIscsi = (iqn: string) => (target: Target) => target.fabric === 'iscsi' && target.wwn === iqn
const groupOf = (target: Target | undefined) => target?.tpgs?.find(({ tag }) => (tag ?? 1) === 1)

/** Our targets, as they are restored at boot. */
export const savedTargets = (saved: Document): Wanted[] =>
  saved.targets.flatMap((target) => {
    const group = groupOf(target)
    const isOurs = target.fabric === 'iscsi' && group?.parameters?.['TargetAlias'] === MARK
    return isOurs ? [wantedOfGroup(target.wwn, group, saved)] : []
  })

function wantedOfGroup(iqn: string, group: Group, { storage_objects }: Document): Wanted {
  return {
    iqn,
    enabled: group.enable ?? true,
    portals: (group.portals ?? []).map(({ ip_address, port }) => `${ip_address}:${port}`),
    initiators: (group.node_acls ?? []).map(({ node_wwn }) => node_wwn),
    chap: chapOf(group.chap_userid, group.chap_password),
    mutual: chapOf(group.chap_mutual_userid, group.chap_mutual_password),
    luns: (group.luns ?? []).flatMap(({ index, storage_object }) => {
      const store = storage_objects.find((one) => storeOf({ storage_object }) === nameOf(one))
      if (!store || typeof store.dev !== 'string' || typeof store.wwn !== 'string') return []
      return [{ id: index, store: nameOf(store), device: store.dev, serial: store.wwn }]
    }),
  }
}

const chapOf = (username: string | undefined, password: string | undefined): Chap | undefined =>
  username && password ? { username, password } : undefined

/** The file's next content: this target as wanted, or without it; our backstores that no LUN uses are dropped. */
export function withTarget(saved: Document, iqn: string, wanted: Wanted | undefined): Document {
  const old = saved.targets.find(isIscsi(iqn))
  const others = saved.targets.filter((target) => target !== old)
  const targets = wanted ? [...others, mergeTarget(old, wanted)] : others
  const added = (wanted?.luns ?? []).filter(({ store }) => isOurStore(store)).map((lun) => mergeStore(saved, lun))
  const shown = new Set(targets.flatMap(({ tpgs = [] }) => tpgs.flatMap(({ luns = [] }) => luns.map(storeOf))))
  const stores = saved.storage_objects.filter((store) => {
    const name = nameOf(store)
    return (!isOurStore(name) || shown.has(name)) && !added.some((one) => nameOf(one) === name)
  })
  return { ...saved, storage_objects: [...stores, ...added], targets }
}

function mergeStore({ storage_objects }: Document, { store, device, serial }: WantedLun): Store {
  const old = storage_objects.find((one) => nameOf(one) === store)
  const attributes = { ...(old?.['attributes'] as object | undefined), emulate_tpu: 1 }
  const name = store.replace('block/', '')
  const own = { name, plugin: 'block', dev: device, wwn: serial, attributes }
  return { readonly: false, write_back: false, alua_tpgs: [], ...old, ...own }
}

function mergeTarget(old: Target | undefined, wanted: Wanted): Target {
  const { iqn, enabled, portals, initiators, chap, mutual, luns } = wanted
  const before = groupOf(old)
  const credentials = {
    ...(chap && { chap_userid: chap.username, chap_password: chap.password }),
    ...(mutual && { chap_mutual_userid: mutual.username, chap_mutual_password: mutual.password }),
  }
  const group: Group = {
    ...withoutChap(before),
    tag: 1,
    enable: enabled,
    attributes: {
      ...before?.attributes,
      authentication: chap ? 1 : 0,
      generate_node_acls: 0,
      demo_mode_discovery: 0,
    },
    // rtslib sets the attributes first: a method of an earlier save would undo what `authentication` says.
    parameters: { ...before?.parameters, AuthMethod: chap ? 'CHAP' : 'CHAP,None', TargetAlias: MARK },
    luns: luns.map(({ id, store }) => lunEntry(before, id, store)),
    portals: portals.map((portal) => portalEntry(before, portal)),
    node_acls: initiators.map((node_wwn) => {
      const acl = before?.node_acls?.find((one) => one.node_wwn === node_wwn)
      const mapped = luns.map(({ id }) => ({ index: id, tpg_lun: id, alias: MARK, write_protect: false }))
      return { ...withoutChap(acl), node_wwn, mapped_luns: mapped, ...credentials }
    }),
    ...credentials,
  }
  const groups = (old?.tpgs ?? []).filter((one) => one !== before)
  return { ...old, wwn: iqn, fabric: 'iscsi', tpgs: [group, ...groups] }
}

function withoutChap(entry: Group | z.infer<typeof Acl> | undefined): object {
  return Object.fromEntries(Object.entries(entry ?? {}).filter(([name]) => !(name in secrets)))
}

function lunEntry(before: Group | undefined, index: number, store: string): z.infer<typeof Lun> {
  const old = before?.luns?.find((lun) => lun.index === index && storeOf(lun) === store)
  return old ?? { index, storage_object: BACKSTORES + store, alias: MARK, alua_tg_pt_gp_name: 'default_tg_pt_gp' }
}

function portalEntry(before: Group | undefined, portal: string): z.infer<typeof Portal> {
  const at = portal.lastIndexOf(':')
  const [ip_address, port] = [portal.slice(0, at), Number(portal.slice(at + 1))]
  const old = before?.portals?.find((one) => one.ip_address === ip_address && one.port === port)
  return old ?? { ip_address, port, iser: false, offload: false }
}
