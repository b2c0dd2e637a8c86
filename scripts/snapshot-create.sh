#!/bin/sh
# Creates a snapshot for a policy: `snapshot-create.sh run TASKDIR DATASET LABEL FROM UNTIL`; LABEL is
# TYPE-YYYYMMDD-HHMMSS, FROM and UNTIL its period. Another server may have just created it, so this is checked again
# under the lock.
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=zfs.sh
. "$here/zfs.sh"
LOCK=$(dataset_lock "${3:-}")
NAME=${3:-}@${4:-}

run() { # DATASET LABEL FROM UNTIL
  need_snapshot "$1@$2"
  run_type=${2%%-*}
  checkpoint snapshot-create-started

  step 20 "looking for one of this period"
  # The labels of a type sort by their time.
  made_snapshots "$1" || zfs_failed
  run_taken=$(awk -v from="$run_type-$3" -v until="$run_type-$4" '$0 >= from && $0 < until { print; exit }' "$TASK/made")
  if [ -n "$run_taken" ]; then
    step 90 "$1@$run_taken is there already"
    return 0
  fi

  step 50 "taking $1@$2"
  zfs_do snapshot -o "$MARK=$run_type" "$1@$2" || zfs_failed
  checkpoint snapshot-created
  step 90 "$1@$2 was taken"
}

recover() {
  [ "$ACTION" != run ] || return 0
  case $NAME in -*) return 0 ;; esac
  ! zfs list -H -o name "$NAME" >/dev/null 2>&1 9>&- || ERROR_CODE='' MESSAGE="$NAME was taken" END_STATE=completed
}

main "$@"
