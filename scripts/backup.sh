#!/bin/sh
# shellcheck disable=SC2034 # lib.sh reads LOCK, MESSAGE and END_STATE
# Makes the backup archive, or deletes it: `backup.sh run TASKDIR START|STOP`. A running backup is stopped by this
# script's `cancel`. backup.json describes backup.tar, so it says `success` only after the archive has its final name,
# and it is removed before the archive.
LOCK=backup
NEEDS='df node openssl sort wc'
VERB=
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"

ARCHIVE=$UPLOADS/backup.tar
PARTIAL=$UPLOADS/.backup.tar.partial
STATUS=$UPLOADS/backup.json
KEPT_FREE=16384
MOST_NAMED=100
NEWLINE='
'

say() { log_line update_backup.log "$1"; }
tell() { # JSON
  put_anyhow "$STATUS" 644 "$1"
}
told() { sed -n 's/.*"status":"\([a-z]*\)".*/\1/p' "$STATUS" 2>/dev/null | head -n 1; }

# Expands the patterns of backup.txt to names in the data folder, one per line.
names() (
  cd "$EDGE_DATADIR" || exit
  set -f
  names_list=$(edited "$EDGE_ROOT/etc/backup.txt") || exit
  for names_pattern in $names_list; do
    case /$names_pattern/ in
      //* | */../*)
        echo "not below the data folder: $names_pattern (backup.txt)" >&2
        exit 1
        ;;
      /./ | /.//) names_all='* .[!.]* ..?*' ;;
      *) names_all=$names_pattern ;;
    esac
    for names_part in $names_all; do names_expand "$names_part" || exit; done
  done
)

names_expand() ( # PATTERN
  set +f
  # No word splitting any more: only the pattern itself is expanded.
  IFS=
  for names_name in $1; do
    if [ ! -e "$names_name" ] && [ ! -L "$names_name" ]; then
      # A pattern may match nothing, but a plain name has to exist.
      case $names_name in *[*?[]*) ;; *) printf 'left out: not there: %s\n' "$names_name" >>"$TASK/left-out" ;; esac
      continue
    fi
    while :; do
      case $names_name in
        ./?*) names_name=${names_name#./} ;;
        ?*/) names_name=${names_name%/} ;;
        *) break ;;
      esac
    done
    case $names_name in
      .edge-admin-restore) continue ;;
      *"$NEWLINE"*)
        printf 'left out: a line break in the name %s\n' "$(printf '%s' "$names_name" | tr '\n' '?')" >>"$TASK/left-out"
        continue
        ;;
      -*) names_name=./$names_name ;;
    esac
    printf '%s\n' "$names_name"
  done
)

# Each name once, and none below another: a restore refuses duplicates.
names_once() {
  sort -u | awk -F / '{
    path = ""
    for (i = 1; i < NF; i++) {
      path = path (i > 1 ? "/" : "") $i
      if (path in kept) next
    }
    kept[$0]
    print
  }'
}

# A name behind a link that leads out of the data folder could be archived, but never restored.
names_inside() {
  inside_data=$(cd "$EDGE_DATADIR" && pwd -P) || return 1
  inside_last=
  while IFS= read -r inside_name; do
    inside_folder=${inside_name%/*}
    case $inside_name in */*) ;; *) continue ;; esac
    [ "$inside_folder" != "$inside_last" ] || continue
    inside_last=$inside_folder
    case $(cd "$EDGE_DATADIR/$inside_folder" && pwd -P)/ in
      "$inside_data"/*) ;;
      *)
        echo "leads out of the data folder: $inside_folder"
        return 1
        ;;
    esac
  done <"$TASK/names"
}

# Our own folders contain secrets, and a restore refuses them.
names_not_ours() {
  own_in_data >"$TASK/own" || return 1
  [ -s "$TASK/own" ] || return 0
  while IFS= read -r ours_name; do
    ours_path=$EDGE_DATADIR/$ours_name
    ours_folder=1
    { [ -d "$ours_path" ] && [ ! -L "$ours_path" ]; } || ours_path=${ours_path%/*} ours_folder=
    ours_real=$(cd "$ours_path" && pwd -P) || return 1
    while IFS= read -r ours_own; do
      case $ours_real/ in "$ours_own"/*) ;; *) case ${ours_folder:+$ours_own/} in "$ours_real"/*) ;; *) continue ;; esac ;; esac
      echo "holds what is the appliance's own: $ours_name"
      return 1
    done <"$TASK/own"
  done <"$TASK/names"
}

# What a restore would refuse is left out and reported: one odd file must not prevent the backup of everything else.
write_archive() { edge_admin archive "$EDGE_DATADIR" "$EDGE_ENTRY_LIMIT" "$EDGE_UNPACK_LIMIT" "$@" <"$TASK/names"; }

cannot_write() { # EXIT-STATUS
  case $1 in
    3) fail E1000 'Not enough free disk space' ;;
  esac
  cannot_reason=$(head -n 1 "$TASK/refused" 2>/dev/null)
  fail E1000 "The backup archive cannot be written${cannot_reason:+: $cannot_reason}"
}

wrong_list() {
  wrong_reason=$(head -n 1 "$TASK/refused")
  fail E1000 "The list of what to back up is missing or wrong${wrong_reason:+: $wrong_reason}"
}

say_left_out() {
  [ -s "$TASK/left-out" ] || return 0
  say_rows=0
  while IFS= read -r say_line && [ "$say_rows" -lt "$MOST_NAMED" ]; do
    say "$say_line"
    say_rows=$((say_rows + 1))
  done <"$TASK/left-out"
  say_rows=$(wc -l <"$TASK/left-out")
  [ "$say_rows" -le "$MOST_NAMED" ] || say "and $((say_rows - MOST_NAMED)) more: see the log of the task"
  cat "$TASK/left-out"
}

# `df` fails if it does not know the folder's mount (a chroot); then stat asks the file system itself. Some file systems
# do not report their size: one without any blocks does not count as full.
free_kib() { # FOLDER: a number, or nothing and exit status 1
  {
    df -Pk "$1" 2>/dev/null | sed -n '2s/^.* \([0-9][0-9]*\)  *[0-9][0-9]*  *\(-\{0,1\}[0-9][0-9]*\)  *[0-9]*% .*/\1 \2/p'
    stat -f -c '%b %a %S' "$1" 2>/dev/null | awk 'NF == 3 { printf "%.0f %.0f\n", $1 * $3 / 1024, $2 * $3 / 1024 }'
  } | awk '$1 > 0 && $2 ~ /^-?[0-9]+$/ { print $2; found = 1; exit } END { exit !found }'
}

# Like `du -h`, always with one decimal. Of the length, not of the blocks, which some file systems know only later.
human_size() { # BYTES
  awk -v bytes="$1" 'BEGIN {
    size = int((bytes + 4095) / 4096) * 4
    for (unit = 1; size >= 1024 && unit < 4; unit++) size /= 1024
    printf "%.1f%s\n", size, substr("KMGT", unit, 1)
  }'
}

start() {
  tell '{"status":"running"}'
  { make_way "$ARCHIVE" && make_way "$PARTIAL"; } || fail E1000 'A folder is in the way in the uploads'
  rm -f "$ARCHIVE" "$PARTIAL"
  step 10 'Validating backup file size'
  say 'Validating backup file size'
  checkpoint backup-started
  { names >"$TASK/matches" 2>"$TASK/refused" && names_once <"$TASK/matches" >"$TASK/names"; } || wrong_list
  [ -s "$TASK/names" ] || fail E1000 'There is nothing to back up: nothing is there that backup.txt lists'
  names_inside || fail E1000 'The list of what to back up leads out of the data folder'
  names_not_ours || fail E1000 'The list of what to back up holds folders of the appliance itself'
  start_rc=0
  start_size=$(write_archive 2>"$TASK/refused") || start_rc=$?
  [ "$start_rc" -eq 0 ] || cannot_write "$start_rc"
  start_kib=$(((start_size + 1023) / 1024))
  if start_free=$(free_kib "$UPLOADS"); then
    start_free=$((start_free - KEPT_FREE))
    [ "$start_kib" -lt "$start_free" ] || fail E1000 "Backup archive is too large: $start_kib of $start_free KiB"
  else
    # On a full disk the write itself will fail.
    echo "nothing here says how much room is left for $UPLOADS"
  fi
  step 30 'Starting backup'
  say 'Starting backup'
  checkpoint backup-sized
  write_archive "$PARTIAL" >>"$TASK/left-out" 2>"$TASK/refused" || cannot_write "$?"
  say_left_out
  # By the rules of a restore: an archive that cannot be restored is no backup.
  start_refusal=$(edge_admin screen "$PARTIAL" "$EDGE_ENTRY_LIMIT" "$EDGE_UNPACK_LIMIT" 2>&1) ||
    fail E1000 "The backup could not be restored: $start_refusal"
  step 70 'writing done'
  checkpoint backup-written
  rename "$PARTIAL" "$ARCHIVE" || fail E1000 'The backup archive cannot be written'
  sync_path "$UPLOADS"
  step 80 'hashing'
  checkpoint backup-renamed
  start_hash=$(openssl dgst -sha256 -r "$ARCHIVE" | cut -d ' ' -f 1)
  [ "${#start_hash}" -eq 64 ] || fail E1000 'The backup archive cannot be read'
  checkpoint backup-hashed
  start_size=$(human_size "$(stat -c %s "$ARCHIVE")")
  tell "{\"status\":\"success\",\"filesize\":\"$start_size\",\"sha256\":\"$start_hash\"}"
  log_text update_backup.log "Created file: $ARCHIVE - size: $start_size - hash: $start_hash"
  say 'Backup complete'
}

stop() {
  rm -f "$PARTIAL"
  [ -f "$ARCHIVE" ] || return 0
  say 'Deleting backup archive'
  rm -f "$STATUS"
  sync_path "$UPLOADS"
  checkpoint backup-stopping
  rm -f "$ARCHIVE"
  sync_path "$UPLOADS"
}

run() {
  VERB=${1:-}
  case $VERB in
    START) start ;;
    STOP) stop ;;
    *) fail E1000 'Unknown action' ;;
  esac
}

recover() {
  rm -f "$UPLOADS"/.backup.json.*
  if [ "${VERB:=${1:-}}" = STOP ]; then
    stop
    END_STATE=completed
  elif [ "$VERB" != START ]; then
    :
  elif [ "$ACTION" = cancel ]; then
    say 'Stopping backup'
    stop
    rm -f "$STATUS"
  elif [ "$PROGRESS" -ge 80 ] && [ "$(told)" = success ]; then
    # Only the task's own status is missing.
    END_STATE=completed
  else
    rm -f "$PARTIAL" "$ARCHIVE"
    tell '{"status":"failed"}'
    [ "$ACTION" != run ] || say "$ERROR_MESSAGE"
    say 'Backup failed'
  fi
}

on_end() { # STATE
  case $1 in completed) persist ;; esac
}

main "$@"
