// The storage types and their members as the form shows them (features/persistent-storage/types.ts has what the
// appliance accepts).

export interface Member {
  name: string
  label: string
  hint?: string
  type?: 'password' | 'number'
}

export const KINDS: Record<string, { title: string; members: Member[] }> = {
  local: { title: 'The appliance’s own disk', members: [] },
  nfs: {
    title: 'NFS',
    members: [
      { name: 'ip', label: 'Address of the server', hint: 'IPv4 or IPv6' },
      { name: 'share', label: 'Exported path', hint: 'Such as /export/data' },
      { name: 'mount_options', label: 'Mount options', hint: 'Such as vers=4.2,hard' },
    ],
  },
  aoe: { title: 'ATA over Ethernet', members: [{ name: 'device', label: 'Device', hint: 'Such as e0.0' }] },
  iscsi: {
    title: 'iSCSI',
    members: [
      { name: 'target', label: 'Target', hint: 'A name that begins with iqn, eui or naa' },
      { name: 'ip', label: 'Address of the server', hint: 'IPv4 or IPv6' },
      { name: 'username', label: 'User name' },
      { name: 'password', label: 'Password', type: 'password' },
    ],
  },
  nbd: {
    title: 'Network block device',
    members: [
      { name: 'export_name', label: 'Export' },
      { name: 'ip', label: 'Address of the server', hint: 'IPv4 or IPv6' },
      { name: 'port', label: 'Port', type: 'number', hint: '10809 as a rule' },
    ],
  },
}

export const titleOf = (kind: string) => KINDS[kind]?.title ?? kind

export const PATH = '/api/v1/admin/storage'
/** What GET returns instead of the stored password; sent back, it keeps that password. */
export const HIDDEN = '********'

export interface Stored {
  storage?: Record<string, string | number>
  options: string[]
}
