#!/bin/sh
# Destroys surplus snapshots of a policy: `snapshot-prune.sh run TASKDIR DATASET`; `input/plan` has lines `delete LABEL`
# and `keep LABEL REASON`. Whatever the plan says, only snapshots with the mark of a policy are destroyed, and ZFS has
# the last word.
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=zfs.sh
. "$here/zfs.sh"
LOCK=$(dataset_lock "${3:-}")

summary() { # what was done so far, in words
  printf '%s destroyed' "$run_gone"
  [ -z "$run_kept" ] || printf '; kept: %s' "$run_kept"
}

run() { # DATASET
  need_dataset "$1"
  checkpoint snapshot-prune-started
  step 5 'looking for what policies made'
  made_snapshots "$1" || zfs_failed

  run_all=$(grep -c '^delete ' "$TASK/input/plan") || run_all=0
  run_done=0
  run_gone=0
  run_failed=
  run_kept=$(sed -n 's/^keep \([^ ]*\) \(.*\)$/\1 (\2)/p' "$TASK/input/plan" | tr '\n' ',' | sed 's/,$//; s/,/, /g')
  # None of these steps has to survive a power cut: the next run finds what is left to do.
  LAZY=1
  while read -r run_what run_label _; do
    [ "$run_what" = delete ] || continue
    grep -q -x -F -e "$run_label" "$TASK/made" || continue
    step $((5 + 90 * run_done / run_all)) "destroying $1@$run_label"
    run_done=$((run_done + 1))
    checkpoint snapshot-pruning
    if zfs_do destroy "$1@$run_label"; then
      run_gone=$((run_gone + 1))
      continue
    fi
    case $ZFS_SAID in
      *'could not find any snapshots'*) ;;
      *'being held'* | *busy*) run_kept="${run_kept:+$run_kept, }$run_label (held)" ;;
      *'dependent clones'*) run_kept="${run_kept:+$run_kept, }$run_label (cloned)" ;;
      *) run_failed=$ZFS_SAID ;;
    esac
  done <"$TASK/input/plan"
  [ -z "$run_failed" ] || fail E1000 "$(summary); $run_failed"
  step 95 "$(summary)"
  checkpoint snapshot-pruned
}

main "$@"
