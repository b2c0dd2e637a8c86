// What an entry of the audit log says.

export interface AuditEntry {
  /** The word of the original's line. */
  event: string
  /** What the chain calls it, where that is not the event without its ending: one action has one name, however it ends. */
  action?: string | undefined
  target: string
  /** Who acted, where nobody has a name: the original's word on the admin surface, `system` for our own acts. */
  actor?: string | undefined
  /** The peer's address, or `local` for our own acts. */
  address: string
  /** The account's id; left out when nobody has proven anything. */
  account?: string | undefined
  /** The account's name; also of one that somebody only claimed to be. */
  name?: string | undefined
  /** What it was about: `pools/tank`. The path, where a surface has no better word. */
  resource?: string | undefined
  /** Of a change that was refused or failed: why. */
  failure?: string | undefined
  /** Nothing was done, and the caller could repeat it as often as he likes: many of them are gathered. */
  refusal?: true | undefined
  agent?: string | undefined
  request?: string | undefined
}
