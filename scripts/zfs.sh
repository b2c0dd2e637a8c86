# shellcheck shell=sh
# Shared by the scripts that work on datasets. Source it after lib.sh. Under sudo the arguments are the caller's, so
# names are checked again here, and only valid ZFS names become arguments of `zfs`.

# shellcheck disable=SC2034
NEEDS='sha256sum sort'

# Snapshots of a policy carry their type in this property (src/features/snapshots/policy.ts).
# shellcheck disable=SC2034
MARK=edge-admin:snapshot

# One task at a time works on a dataset. A dataset's name may be longer than a file name, so the lock's name is a digest
# (src/features/zfs/lock.ts).
dataset_lock() { printf 'dataset-%s' "$(printf %s "$1" | sha256sum | cut -c 1-32)"; }

need_dataset() { # NAME
  case $1 in
    # Names in an imported pool may contain spaces, and their later parts may begin with any valid character.
    '' | [!A-Za-z]* | *[!A-Za-z0-9_.:/\ -]* | *//* | */ | */. | */.. | */./* | */../*) fail INVALID 'Not a dataset name' ;;
  esac
}
need_snapshot() { # NAME
  case $1 in
    *@*@* | *@ | *@. | *@.. | *@*[!A-Za-z0-9_.:\ -]*) fail INVALID 'Not a snapshot name' ;;
    *@*) need_dataset "${1%@*}" ;;
    *) fail INVALID 'Not a snapshot name' ;;
  esac
}

# Writes the labels of a dataset's policy snapshots to TASK/made: those whose own mark, not an inherited one, is the
# type in their name. A value is printed raw and may contain whole lines, so a mark only counts directly before the
# answer about a property that does not exist, whose name nobody can guess (src/drivers/zfs-lines.ts).
made_snapshots() { # DATASET
  zfs_rc=0
  made_end=edge-admin:end-$(head -c 12 /dev/urandom | sha256sum | cut -c 1-24)
  zfs get -H -t snapshot -d 1 -o name,property,source,value "$MARK,$made_end" "$1" >"$TASK/marks" 2>"$TASK/said" 9>&- || zfs_rc=$?
  ZFS_SAID=$(head -n 1 "$TASK/said")
  awk -F '\t' -v mark="$MARK" -v end="$made_end" '
    label != "" && $0 == name "\t" end "\t-\t-" { print label }
    { label = "" }
    $2 == mark && ($3 == "local" || $3 == "received") {
      name = $1
      type = substr($1, index($1, "@") + 1)
      sub(/-.*/, "", type)
      if ($0 == name "\t" mark "\t" $3 "\t" type) label = substr($1, index($1, "@") + 1)
    }' "$TASK/marks" | grep -E -x '[a-z]+-[0-9]+-[0-9]+' >"$TASK/made" || :
  return "$zfs_rc"
}

# Runs zfs with the lock closed. Its messages are in the log, and the first line in ZFS_SAID.
zfs_do() { # ARGUMENT...
  zfs_rc=0
  ZFS_SAID=$(zfs "$@" 2>&1 9>&-) || zfs_rc=$?
  [ -z "$ZFS_SAID" ] || printf '%s\n' "$ZFS_SAID"
  ZFS_SAID=$(printf '%s\n' "$ZFS_SAID" | grep -m 1 . | tr -c ' -~\n' ' ' | cut -c 1-300) || :
  return "$zfs_rc"
}

# Ends the task with zfs's message and the matching code for the caller (src/features/zfs/failure.ts).
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
