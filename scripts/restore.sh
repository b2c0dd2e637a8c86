#!/bin/sh
# shellcheck disable=SC2034 # lib.sh reads LOCK
# Restores a backup archive into the data folder: all of it, or nothing. The server has screened it: files, folders, links that stay inside.
# A newcomer's trap: the archive is unpacked beside the data, not in the task's folder, so that putting it in place is renames.
LOCK=backup
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
  # Screened by the server; under sudo that is a word of somebody less trusted.
  [ -z "${SUDO_UID:-}" ] || edge_admin screen "$TASK/input/backup-archive.tar" "$EDGE_ENTRY_LIMIT" "$EDGE_UNPACK_LIMIT" ||
    fail E1000 'The backup archive cannot be unpacked'
  (
    umask 0
    tar -x -o -p -f "$TASK/input/backup-archive.tar" -C "$STAGING/$TASK_ID/new"
  ) || fail E1000 'The backup archive cannot be unpacked'
  [ ! -e "$STAGING/$TASK_ID/new/.edge-admin-restore" ] || echo 'skip ".edge-admin-restore"'
  rm -rf "$STAGING/$TASK_ID/new/.edge-admin-restore"
  step 50 'unpacked'
  checkpoint restore-staged
  # It says in the log what it replaces and what it adds, before it does.
  { own_in_data >"$TASK/own" && edge_admin swap in "$STAGING/$TASK_ID" "$EDGE_DATADIR" "$TASK/own"; } || fail E1000 'The backup archive cannot be put in place'
  step 90 'in place'
  checkpoint restore-swapped
  # From here on the data is the archive's: what dies now is finished by recover, not put back.
  : | put "$TASK/restored" 640 || fail E1000 'The backup archive cannot be put in place'
  checkpoint restore-decided
  drop
}

# What a killed restore staged and never began to put in place. With a plan its old files are in there.
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
    # What cannot be put back now is kept: the old files are in there.
    edge_admin swap back "$STAGING/$TASK_ID" || {
      ERROR_MESSAGE="$ERROR_MESSAGE. The old data could not all be put back; it is kept in .edge-admin-restore"
      MESSAGE=$ERROR_MESSAGE
      say "$ERROR_MESSAGE"
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
    *) say 'Restore failed' ;;
  esac
}

main "$@"
