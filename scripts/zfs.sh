# shellcheck shell=sh
# What the scripts that work on datasets share. Source it behind lib.sh. The trap: under sudo the arguments are the caller's, so names are
# checked here again, and nothing that is no name of ZFS's ever becomes an argument of `zfs`.

# What a policy made carries its type in this property (src/features/snapshots/policy.ts).
# shellcheck disable=SC2034
MARK=edge-admin:snapshot

# One task at a time works on a dataset. A name may be longer than a file's, so the lock has its digest (src/features/zfs/lock.ts).
dataset_lock() { printf 'dataset-%s' "$(printf %s "$1" | sha256sum | cut -c 1-32)"; }

need_dataset() { # NAME
  case $1 in
    '' | [!A-Za-z]* | *[!A-Za-z0-9_.:/-]* | *//* | */ | */[!A-Za-z0-9]*) fail INVALID 'Not a dataset name' ;;
  esac
}
need_snapshot() { # NAME
  case $1 in
    *@*@* | *@ | *@[!A-Za-z0-9]* | *@*[!A-Za-z0-9_.:-]*) fail INVALID 'Not a snapshot name' ;;
    *@*) need_dataset "${1%@*}" ;;
    *) fail INVALID 'Not a snapshot name' ;;
  esac
}

# Runs zfs with the lock closed. What it said is in the log, and its first line in ZFS_SAID.
zfs_do() { # ARGUMENT...
  zfs_rc=0
  ZFS_SAID=$(zfs "$@" 2>&1 9>&-) || zfs_rc=$?
  [ -z "$ZFS_SAID" ] || printf '%s\n' "$ZFS_SAID"
  ZFS_SAID=$(printf '%s\n' "$ZFS_SAID" | grep -m 1 . | tr -c ' -~\n' ' ' | cut -c 1-300) || :
  return "$zfs_rc"
}

# Ends the task with what zfs said, and with what that means for the caller (src/features/zfs/failure.ts).
zfs_failed() {
  [ "$zfs_rc" -ne 127 ] || fail UNAVAILABLE 'zfs is not installed or cannot be started'
  case $ZFS_SAID in
    '') fail E1000 'zfs ended unexpectedly' ;;
    *'does not exist'* | *'no such pool'* | *'could not find any snapshots'*) fail NOT_FOUND "$ZFS_SAID" ;;
    *'already exists'* | *busy* | *'being held'* | *'has children'* | *'dependent clones'* | *'clones of previous'* | \
      *'more recent snapshots'* | *'out of space'* | *'currently suspended'* | *'legacy mountpoint'*) fail CONFLICT "$ZFS_SAID" ;;
    *) fail E1000 "$ZFS_SAID" ;;
  esac
}
