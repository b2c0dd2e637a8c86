// A target as the API returns it, without its CHAP passwords.
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
  /** What the target proves to the initiators. */
  mutual_chap?: { username: string }
  note?: string
}
