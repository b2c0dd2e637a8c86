#!/bin/sh
# shellcheck disable=SC2034 # lib.sh reads LOCK
# Restores a backup archive into the data folder: all of it, or nothing. The server has checked it: files, folders,
# links that stay inside. It is unpacked beside the data, not in the task's folder, so that putting it in place needs
# only renames.
LOCK=backup
NEEDS='node rmdir tar'
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"

STAGING=$EDGE_DATADIR/.edge-admin-restore

say() { log_line update_backup.log "$1"; }

run() {
  step 10 'restoring the backup archive'
  say "Restoring backup archive to $EDGE_DATADIR"
  { [ -d "$EDGE_DATADIR" ] && [ ! -L "$STAGING" ]; } || fail E1000 'There is no data folder'
  drop_abandoned
  { mkdir -p "$STAGING/$TASK_ID/new" && chmod 700 "$STAGING"; } || fail E1000 'The backup archive cannot be unpacked'
  unpack || cannot_unpack
  [ ! -e "$STAGING/$TASK_ID/new/.edge-admin-restore" ] || echo 'skip ".edge-admin-restore"'
  rm -rf "$STAGING/$TASK_ID/new/.edge-admin-restore"
  step 50 'unpacked'
  checkpoint restore-staged
  # Lists in the log what it replaces and adds, before it does.
  { own_in_data >"$TASK/own" && edge_admin swap in "$STAGING/$TASK_ID" "$EDGE_DATADIR" "$TASK/own" 2>"$TASK/said"; } ||
    cannot 'The backup archive cannot be put in place'
  step 90 'in place'
  checkpoint restore-swapped
  # From here on the new data counts: a task that dies is completed by recover, not undone.
  : | put "$TASK/restored" 640 || fail E1000 'The backup archive cannot be put in place'
  checkpoint restore-decided
  drop
}

# The archive is checked again and rewritten on its way: tar reads only one form, and nothing was replaced since the
# server's check.
unpack() {
  {
    edge_admin plain "$TASK/input/backup-archive.tar" "$EDGE_ENTRY_LIMIT" "$EDGE_UNPACK_LIMIT" 2>"$TASK/refused"
    echo $? >"$TASK/plain.rc"
  } | (
    umask 0
    tar -x -o -p -f - -C "$STAGING/$TASK_ID/new" 2>"$TASK/said"
  ) || return 1
  [ "$(cat "$TASK/plain.rc")" = 0 ]
}

cannot_unpack() {
  unpack_reason=$(head -n 1 "$TASK/refused" 2>/dev/null)
  cat "$TASK/refused"
  cannot "The backup archive cannot be unpacked${unpack_reason:+: $unpack_reason}"
}

cannot() { # TEXT: what the program said is in $TASK/said
  cat "$TASK/said"
  if grep -q -i -e 'no space left' -e ENOSPC -e 'quota exceeded' -e EDQUOT "$TASK/said"; then
    fail NO_SPACE 'Not enough free disk space'
  fi
  cannot_said=$(sed -n 's/^edge-admin swap [a-z]*: //p' "$TASK/said" | head -n 1)
  fail E1000 "$1${cannot_said:+: $cannot_said}"
}

# Staged files of a killed restore that never began to put them in place. With a plan, the old files are in there.
drop_abandoned() {
  for abandoned in "$STAGING"/*; do
    { [ -d "$abandoned" ] && [ ! -L "$abandoned" ] && [ ! -e "$abandoned/plan.json" ]; } || continue
    rm -rf "$abandoned"
  done
}

drop() {
  rm -rf "${STAGING:?}/$TASK_ID"
  rmdir "$STAGING" 2>/dev/null || :
}

recover() {
  if [ -f "$TASK/restored" ]; then
    END_STATE=completed
  elif [ -d "$STAGING/$TASK_ID" ]; then
    # If something cannot be restored now, the folder is kept: it has the old files.
    edge_admin swap back "$STAGING/$TASK_ID" || {
      ERROR_MESSAGE="$ERROR_MESSAGE. The old data could not all be put back; it is kept in .edge-admin-restore"
      MESSAGE=$ERROR_MESSAGE
      return
    }
  fi
  drop
}

on_end() { # STATE
  rm -rf "$TASK/input"
  case $1 in
    completed)
      say 'Restore complete'
      persist
      ;;
    *)
      [ -z "$ERROR_MESSAGE" ] || say "$ERROR_MESSAGE"
      say 'Restore failed'
      ;;
  esac
}

main "$@"
