// Root does something with somebody else's rights. The trap: the groups that root itself is in give rights as well.

/** For as long as `act` runs; it must not wait for anything. */
export function withRightsOf<T>({ uid, gid }: { uid: number; gid: number }, act: () => T): T {
  const own = { uid: process.geteuid!(), gid: process.getegid!(), groups: process.getgroups!() }
  process.setgroups!([gid])
  process.setegid!(gid)
  process.seteuid!(uid)
  try {
    return act()
  } finally {
    process.seteuid!(own.uid)
    process.setegid!(own.gid)
    process.setgroups!(own.groups)
  }
}
