// The content of an audit entry.

export interface AuditEntry {
  /** The event in the original's line. */
  event: string
  /**
   * The action in the chain, where it is not the event without its suffix: an action keeps one name, however it ends.
   */
  action?: string | undefined
  target: string
  /**
   * The actor of an anonymous entry: the original's word on the admin surface, `system` for acts of the server itself.
   */
  actor?: string | undefined
  /** The peer's address, or `local` for acts of the server itself. */
  address: string
  /** The account's id; left out for unauthenticated requests. */
  account?: string | undefined
  /** The account's name; also one that was only claimed. */
  name?: string | undefined
  /** The object of the change: `pools/tank`, or the path where the surface has no better word. */
  resource?: string | undefined
  /** Why a change was refused or failed. */
  failure?: string | undefined
  /** Nothing was done and the caller could repeat the request at will: such entries are aggregated. */
  refusal?: true | undefined
  agent?: string | undefined
  request?: string | undefined
}
