// Runs code as root with another user's file rights. The groups of root itself have to be dropped, too, because they
// grant rights.

/** For the duration of `act`, which must be synchronous. */
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
