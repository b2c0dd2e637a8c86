#!/bin/sh
# Rolls a dataset back to a snapshot: `snapshot-rollback.sh run TASKDIR DATASET SNAPSHOT`; `input/newer` lists the newer
# objects that are lost. Nothing that was created since the caller saw that list may be lost, so it is compared again
# first. The target is identified by `input/guid`, so that nothing is destroyed for a snapshot that no longer exists.
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=zfs.sh
. "$here/zfs.sh"
LOCK=$(dataset_lock "${3:-}")
SNAPSHOT=${4:-}

newer_now() { # what is newer than the snapshot, in the order of its making
  zfs list -Hp -t snapshot,bookmark -d 1 -o createtxg,name "$1" 9>&- | awk -F '\t' -v snapshot="$2" '
    { txg[$2] = $1 }
    END { if (snapshot in txg) for (name in txg) if (txg[name] + 0 > txg[snapshot] + 0) print txg[name] "\t" name }' | sort -n | cut -f 2
}

# Without its target a rollback would only destroy; and another snapshot may have its name by now.
need_planned() { # SNAPSHOT
  zfs_do get -H -p -o value guid "$1" || case $ZFS_SAID in *'does not exist'*) ;; *) zfs_failed ;; esac
  { [ "$zfs_rc" -eq 0 ] && [ "$ZFS_SAID" = "$(cat "$TASK/input/guid")" ]; } || fail CONFLICT "$1 was destroyed or made again meanwhile: ask again"
}

run() { # DATASET SNAPSHOT
  need_snapshot "$2"
  [ "${2%@*}" = "$1" ] || fail INVALID 'Not a snapshot of this dataset'
  checkpoint snapshot-rollback-started

  step 10 "looking at what is newer than $2"
  newer_now "$1" "$2" >"$TASK/newer"
  while IFS= read -r run_name; do
    grep -q -x -F -e "$run_name" "$TASK/input/newer" || fail CONFLICT "$run_name was made meanwhile: ask again"
  done <"$TASK/newer"
  need_planned "$2"

  if [ -s "$TASK/newer" ]; then
    step 30 "destroying what is newer than $2"
    : | put "$TASK/destroying" 640
    checkpoint snapshot-rollback-destroying
    grep '#' "$TASK/newer" >"$TASK/bookmarks" || :
    while IFS= read -r run_name; do zfs_do destroy "$run_name" || zfs_failed; done <"$TASK/bookmarks"
    # First to last in one call: ZFS destroys all of them or none.
    run_first=$(grep -m 1 '@' "$TASK/newer") || run_first=
    run_last=$(grep '@' "$TASK/newer" | tail -n 1)
    case $run_first in
      '') ;;
      "$run_last") zfs_do destroy "$run_first" || zfs_failed ;;
      *) zfs_do destroy "$run_first%${run_last#*@}" || zfs_failed ;;
    esac
    : | put "$TASK/destroyed" 640
    checkpoint snapshot-rollback-destroyed
  fi

  step 60 "rolling back to $2"
  need_planned "$2"
  : | put "$TASK/rolling" 640
  checkpoint snapshot-rolling-back
  zfs_do rollback "$2" || { rm -f "$TASK/rolling"; zfs_failed; }
  : | put "$TASK/rolled" 640
  checkpoint snapshot-rolled-back
  step 90 "rolled back to $2"
}

# A second rollback could lose what was written since, so an uncertain outcome is reported and left to the caller.
recover() {
  if [ -f "$TASK/rolled" ]; then
    ERROR_CODE='' MESSAGE="rolled back to $SNAPSHOT" END_STATE=completed
    return 0
  fi
  if [ -f "$TASK/rolling" ]; then
    done_in_part
    ERROR_MESSAGE="It is not certain that $SNAPSHOT was rolled back to: look at the data, and ask again"
  elif [ -f "$TASK/destroyed" ] || { [ -f "$TASK/destroying" ] && { [ "$ACTION" != run ] || [ -s "$TASK/bookmarks" ]; }; }; then
    done_in_part
    ERROR_MESSAGE="Nothing was rolled back, but what is newer than $SNAPSHOT may be gone: $ERROR_MESSAGE"
  fi
  MESSAGE=$ERROR_MESSAGE
}

main "$@"
