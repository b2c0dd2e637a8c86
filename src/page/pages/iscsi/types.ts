// A target as the appliance shows it. Its CHAP password is never among it.
export interface Lun {
  id: number
  zvol: string
  size?: number
  backend: string
}

export interface Target {
  id: string
  iqn: string
  luns: Lun[]
  initiators: string[]
  enabled: boolean
  managed: boolean
  portals: string[]
  sessions: string[]
  chap?: { username: string }
  note?: string
}
