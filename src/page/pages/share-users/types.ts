// Share users and groups as the controller returns them.

export const USERS = '/api/v1/share-users'
export const GROUPS = '/api/v1/share-groups'

export interface EndedSession {
  id: string
  client: string
  ended: boolean
}

export interface ShareUser {
  id: string
  uid: number
  name: string
  full_name: string
  enabled: boolean
  groups: string[]
  created_at: string
  updated_at: string
  problem?: string
  ended_sessions?: EndedSession[]
}

export interface ShareGroup {
  id: string
  gid: number
  name: string
  description: string
  members: string[]
  builtin: boolean
  problem?: string
}

/** How a dialog ends: closed, or with a sentence about what was done. */
export interface DialogEnds {
  onClose: () => void
  onDone: (told: string) => Promise<void>
}

/** What an answer tells about sessions that were to end; empty if there were none. */
export function sessionsText(sessions: readonly EndedSession[] = []): string {
  const open = sessions.filter(({ ended }) => !ended)
  if (open.length > 0) return ` Still connected: ${open.map(({ client }) => client).join(', ')}.`
  return sessions.length > 0 ? ` Disconnected: ${sessions.map(({ client }) => client).join(', ')}.` : ''
}

export const userNames = (users: readonly ShareUser[] = []): string[] => users.map(({ name }) => name)

/** The groups that a person may be put into: everybody is in the one that is built in. */
export const groupNames = (groups: readonly ShareGroup[] = []): string[] =>
  groups.filter(({ builtin }) => !builtin).map(({ name }) => name)
