#!/bin/sh
# Sets owner, group, mode and access control lists of everything in a dataset: `dataset-permissions.sh run TASKDIR NAME`.
# `input/permissions` holds what is set. The tree belongs to users who may exchange a file for a link at any moment, so
# `edge-admin permit` walks it by descriptors. It is not undone when it is cut short: `reached` says how far it came, and
# asking again does the rest.
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=zfs.sh
. "$here/zfs.sh"
LOCK=$(dataset_lock "${3:-}")
NEEDS='sha256sum sort node'
LAZY=1

run() { # NAME
  need_dataset "$1"
  checkpoint dataset-permissions-started
  zfs_do get -H -p -o value mounted "$1" || zfs_failed
  [ "$ZFS_SAID" = yes ] || fail CONFLICT 'The dataset is not mounted'
  run_folder=$(zfs get -H -p -o value mountpoint "$1" 9>&-) || fail E1000 'zfs does not say where the dataset is mounted'
  case $run_folder in /*) ;; *) fail CONFLICT 'The dataset has no mount point' ;; esac
  done_in_part
  {
    edge_admin permit "$TASK" "$1" "$run_folder" || : >"$TASK/not-whole"
  } | while IFS=' ' read -r run_percent run_words; do step "$run_percent" "$run_words"; done
  run_said=$(head -n 1 "$TASK/said" 2>/dev/null) || run_said=
  load_status
  [ ! -e "$TASK/not-whole" ] || fail_full E1000 "${run_said:-The permissions could not be set: the log says why}"
  step 100 "$run_said"
}

# How far a killed or cancelled run came. What is set stays.
recover() {
  { [ "$ACTION" != run ] || [ ! -f "$TASK/said" ]; } || return 0
  [ -f "$TASK/reached" ] || return 0
  { IFS= read -r recover_count && IFS= read -r recover_last; } <"$TASK/reached" || return 0
  case $recover_count in '' | *[!0-9]*) return 0 ;; esac
  done_in_part
  [ "$ACTION" != recover ] || ERROR_MESSAGE=Interrupted
  ERROR_MESSAGE="$ERROR_MESSAGE after $recover_count files and folders, the last of them $recover_last. They keep what was set; ask again for the rest"
  MESSAGE=$ERROR_MESSAGE
}

main "$@"
