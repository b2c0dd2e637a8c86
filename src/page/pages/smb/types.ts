// Sessions and open files of the SMB shares, as the API returns them.

export const SESSIONS = '/api/v1/shares/smb/sessions'
export const FILES = '/api/v1/shares/smb/files'

export interface Session {
  id: string
  username: string
  client: string
  dialect: string
  encrypted: boolean
  shares: string[]
  open_files: number
  since?: string
}

export interface OpenFile {
  path: string
  username: string
  client: string
  access: string
  session?: string
  since?: string
}

export const whoIs = ({ username, client }: Pick<Session, 'username' | 'client'>) => `${username} at ${client}`

export const accessText = (access: string) =>
  access === 'RW' ? 'read and write' : access === 'R' ? 'read' : access === 'W' ? 'write' : access
