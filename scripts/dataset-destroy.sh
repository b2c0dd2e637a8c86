#!/bin/sh
# Destroys a file system or volume: `dataset-destroy.sh run TASKDIR NAME alone|recursive`. `zfs destroy -r` may have
# destroyed the snapshots already when it finds a file system busy, so everything is unmounted first, and mounted again
# if that fails. `input/planned` lists what the caller agreed to lose: nothing that was created since is destroyed with
# it.
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=zfs.sh
. "$here/zfs.sh"
LOCK=$(dataset_lock "${3:-}")
NAME=${3:-}

tree() { zfs list -H -o guid,name -t all -r "$1" 2>&1 9>&-; }

# Writes the existing objects to a file of the task; if there are more than agreed, the task ends.
look() { # NAME FILE
  tree "$1" >"$TASK/$2" || {
    zfs_rc=1 ZFS_SAID=$(head -n 1 "$TASK/$2")
    zfs_failed
  }
  refuse_new "$TASK/$2"
}

# All file systems are unmounted by now: a busy object is a volume that udev may have open.
destroy() { # [-r] NAME
  destroy_tries=$TRIES
  until zfs_do destroy "$@"; do
    destroy_tries=$((destroy_tries - 1))
    case $destroy_tries-$ZFS_SAID in
      0-*) zfs_failed ;;
      *'dataset is busy'*) ;;
      *) zfs_failed ;;
    esac
    sleep 1
    settle
    look "$NAME" left
  done
}

run() { # NAME alone|recursive
  need_dataset "$1"
  case $1 in */*) ;; *) fail INVALID 'A pool is not destroyed this way' ;; esac
  checkpoint dataset-destroy-started

  step 10 "unmounting $1"
  run_mounted=$(zfs list -H -o name,mounted -t filesystem -r "$1" 2>/dev/null 9>&- | sed -n 's/	yes$//p')
  look "$1" tree
  printf '%s' "$run_mounted" | put "$TASK/mounted" 640 || fail_full E1000 'The task cannot be written down'
  # Innermost first: a name sorts before those below it.
  printf '%s\n' "$run_mounted" | sort -r >"$TASK/unmounting"
  while IFS= read -r run_name; do
    [ -z "$run_name" ] || zfs_do unmount "$run_name" || zfs_failed
  done <"$TASK/unmounting"
  checkpoint dataset-unmounted

  step 40 "destroying $1"
  [ -z "$(zfs list -H -o name -t volume -r "$1" 2>/dev/null 9>&-)" ] || settle
  look "$1" tree
  : | put "$TASK/destroying" 640
  checkpoint dataset-destroying
  case $2 in
    recursive) destroy -r "$1" ;;
    *) destroy "$1" ;;
  esac
  # What counts is whether it is gone, not the exit status.
  if run_left=$(zfs list -H -o name "$1" 2>/dev/null 9>&-); then fail E1000 "$run_left is still there"; fi
  checkpoint dataset-destroyed
  step 90 "$1 is destroyed"
}

# What was only unmounted is mounted again; what is destroyed is reported as destroyed.
recover() {
  case $NAME in -*) return 0 ;; esac
  [ -f "$TASK/mounted" ] || return 0
  if [ -f "$TASK/destroying" ]; then
    tree "$NAME" >"$TASK/left" || case $(cat "$TASK/left") in
      *'does not exist'*)
        ERROR_CODE='' MESSAGE="$NAME is destroyed" END_STATE=completed
        return 0
        ;;
    esac
    if grep -q -v -x -F -f "$TASK/left" "$TASK/tree"; then
      done_in_part
      ERROR_MESSAGE="$NAME may be destroyed in part: $ERROR_MESSAGE"
    fi
    MESSAGE=$ERROR_MESSAGE
  fi
  while IFS= read -r recover_name || [ -n "$recover_name" ]; do
    [ -z "$recover_name" ] || zfs_do mount "$recover_name" || :
  done <"$TASK/mounted"
}

main "$@"
