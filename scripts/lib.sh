# shellcheck shell=sh
# Shared by all task scripts: lock, status, atomic files, file swaps that can be undone. README.md beside it has the
# contract. File descriptor 9 is the lock: start anything that may keep running (a vendor's hook, a service) with 9>&-.

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

# Under sudo the caller is less trusted, so its environment is ignored.
if [ -n "${SUDO_UID:-}" ]; then
  unset EDGE_PATH EDGE_FAULT EDGE_NETROOT NODE_OPTIONS NODE_PATH OPENSSL_CONF OPENSSL_MODULES OPENSSL_ENGINES
  # shellcheck disable=SC2034 # EDGE_WRAPPER: wrapper.sh
  EDGE_LABEL='' EDGE_LEGACY_MD5='' EDGE_UNPACK_LIMIT='' EDGE_ENTRY_LIMIT='' EDGE_LOG_SIZE='' EDGE_HOOK_SECONDS='' EDGE_WRAPPER=''
  # shellcheck source=/dev/null
  . "$here/settings"
fi
: "${EDGE_ROOT:?}" "${EDGE_SYSCONFDIR:?}" "${EDGE_DATADIR:?}" "${EDGE_STATEDIR:?}"
: "${EDGE_LABEL:=SYSTEM}" "${EDGE_LEGACY_MD5:=0}" "${EDGE_UNPACK_LIMIT:=17179869184}" "${EDGE_ENTRY_LIMIT:=200000}" "${EDGE_LOG_SIZE:=16777216}"
: "${EDGE_HOOK_SECONDS:=600}"
# The contract version for scripts and hooks (docs/vendors.md). Fixed here, because it describes this text.
EDGE_CONTRACT=1
PATH=${EDGE_PATH:+$EDGE_PATH:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH EDGE_CONTRACT EDGE_ROOT EDGE_SYSCONFDIR EDGE_DATADIR EDGE_STATEDIR EDGE_LABEL
LC_ALL=C
export LC_ALL
umask 027

# shellcheck disable=SC2034
UPLOADS=$EDGE_ROOT/home/sftp/uploads
KIND=
ERROR_CODE=
ERROR_MESSAGE=
PROGRESS=0
MESSAGE=
STARTED_AT=
FINAL=
END_STATE=
LAZY=
TAR_LITERAL=
OWN_USER=$(id -u)
OWN_GROUP=$(id -g)

now() { date -u +%Y-%m-%dT%H:%M:%SZ; }

json_string() { # TEXT as a JSON string
  case $1 in
    *[!\ !#-\[\]-~]*) ;;
    *)
      printf '"%s"' "$1"
      return 0
      ;;
  esac
  printf '%s' "$1" | tr -d '\000-\010\013-\037' | tr '\n\t' '  ' | sed 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$/"/'
  [ -n "$1" ] || printf '""'
}

# LAZY=1: until the final status, files are replaced atomically but not synced. For a script whose recover does not
# depend on which of its steps it finds: a sync would wait for all the big files that it has just written.
sync_path() { [ -n "$LAZY" ] || sync "$1" 2>/dev/null || sync; }

# What a replaced file keeps: its mode, but a secret stays closed to others.
kept_mode() { # MODE [secret]
  case ${2:-} in
    secret) printf '%o' $((0$1 & 0770)) ;;
    *) printf '%o' $((0$1 & 0777)) ;;
  esac
}

# The file keeps its owner, group and mode; MODE is for a new file, which gets its folder's group. A mode for the owner
# only (600) marks a secret.
put() { # FILE MODE: standard input becomes FILE, whole or not at all
  make_way "$1" || return 1
  put_rights "$1" "$2"
  put_content "$1"
}
# A file that somebody else may have put there (in the uploads, or under sudo anything that is not root's) does not
# decide owner, group or mode.
put_rights() { # FILE MODE: sets put_user, put_group and put_mode
  # $3 to $7 describe the folder, $8 to ${12} the existing file.
  # shellcheck disable=SC2046
  set -- "$1" "$2" $(stat -c '%u %g %a %h %f' "${1%/*}" "$1" 2>/dev/null)
  put_user='' put_group=${4:-$OWN_GROUP} put_mode=$2
  case ${12:-}:$1 in
    8*:"$UPLOADS"/*) ;;
    8*) if put_decides "$8" "${10}" "${11}"; then
      put_user=$8 put_group=$9
      case $2 in 600) put_mode=$(kept_mode "${10}" secret) ;; *) put_mode=$(kept_mode "${10}") ;; esac
    fi ;;
  esac
}
put_decides() { # UID MODE LINKS: whether the file that is there says whose the next one is; as is_ours
  [ -z "${SUDO_UID:-}" ] || { [ "$1" = 0 ] && [ "$3" = 1 ] && [ $((0$2 & 022)) -eq 0 ]; }
}
put_content() { # FILE: standard input becomes FILE, with what put_rights has set
  put_tmp=$(new_name "$1") || return 1
  if (umask 077 && set -C && exec 8>"$put_tmp" && put_give "$1" && chmod "$put_mode" "$OPEN" && cat >&8) &&
    sync_path "$put_tmp" && rename "$put_tmp" "$1"; then
    sync_path "${1%/*}"
    return 0
  fi
  rm -f "$put_tmp"
  return 1
}
# The folder may belong to a less trusted user (uploads), who can create any name in it and rename our files. So a new
# file has an unpredictable name, is created with `set -C` (which refuses a link, but would open a pipe), and is then
# changed only through its open descriptor.
new_name() { mktemp -u "${1%/*}/.${1##*/}.$$.XXXXXX"; } # FILE: prints a hidden name beside it
OPEN=/proc/self/fd/8
# Rights of a group that it could not get (we are not root) are not given to our own group instead.
put_give() { # FILE
  if [ -z "$put_user" ]; then
    [ "$put_group" = "$OWN_GROUP" ] || chgrp "$put_group" "$OPEN" 2>/dev/null || :
  elif [ "$put_user:$put_group" != "$OWN_USER:$OWN_GROUP" ] && ! chown "$put_user:$put_group" "$OPEN" 2>/dev/null; then
    chgrp "$put_group" "$OPEN" 2>/dev/null || put_mode=$(printf '%o' $((0$put_mode & 0707)))
    echo "$1 belongs to $(stat -L -c %u:%g "$OPEN") now, not to $put_user:$put_group" >&2
  fi
}

# A failure from here on is not a refusal that left everything unchanged: it has to be reported
# (src/features/jobs/refusal.ts).
done_in_part() { : | put "$TASK/in-part" 640 || :; }

# For a status that must not stay wrong: on a full disk the old text is removed to make space for the new one.
put_anyhow() { # FILE MODE TEXT
  make_way "$1" || return 1
  put_rights "$1" "$2"
  printf '%s' "$3" | put_content "$1" || {
    rm -f "$1"
    printf '%s' "$3" | put_content "$1"
  }
}

# The SFTP user can create a folder under the name of a file that we write. It is renamed and not removed: it may
# contain data, and may be large.
make_way() { # FILE
  case $1 in "$UPLOADS"/*) ;; *) return 0 ;; esac
  { [ -d "$1" ] && [ ! -L "$1" ]; } || return 0
  way_name=in-the-way-$(date +%s)-$$-${1##*/}
  if [ -z "${SUDO_UID:-}" ]; then mv -f "$1" "$UPLOADS/$way_name"; else mv -fT "$1" "$UPLOADS/$way_name"; fi || return 1
  log_line "$(log_of_kind)" "A folder was in the way of ${1##*/} in the uploads, and is called $way_name now"
}
log_of_kind() {
  case $KIND in
    update) printf update.log ;;
    restore) printf update_backup.log ;;
    *) printf 'update_%s.log' "$KIND" ;;
  esac
}

rename() { # FILE TARGET: `mv` would move into a folder, or into where a link leads to one
  make_way "$2" || return 1
  # The caller could create a folder there between the check and the move; -T, which not every mv has, never moves into
  # a folder.
  [ -z "${SUDO_UID:-}" ] || { mv -fT "$1" "$2"; return; }
  [ ! -d "$2" ] || { [ -L "$2" ] && rm -f "$2"; } || return 1
  mv -f "$1" "$2"
}

# GNU tar interprets `\` in its arguments: a file named `\057etc\057shadow` would be another file. Call this before the
# first tar_create; not in a pipe.
tar_begin() { TAR_LITERAL=$(tar --help 2>&1 | grep -o -m 1 -e --no-unquote | head -n 1) || :; }
tar_create() { tar ${TAR_LITERAL:+"$TAR_LITERAL"} -c "$@"; }

# Reads a list that people edit: without a byte order mark, with plain line ends. UTF-16 is reported, never guessed. 1:
# it does not exist; 2: it cannot be read.
edited() { # FILE
  edited_rc=0
  edited_fault=$(fault_of "$1") || edited_rc=$?
  [ "$edited_rc" -eq 0 ] || {
    echo "$edited_fault: ${1##*/}" >&2
    return "$edited_rc"
  }
  awk -v "mark=$(printf '\357\273\277')" 'NR == 1 && index($0, mark) == 1 { $0 = substr($0, length(mark) + 1) } { sub(/\r$/, ""); print }' "$1" || return 2
}
# shellcheck disable=SC2094 # both only read
fault_of() { # FILE: prints why it cannot be read as text; exit status as `edited`
  [ -e "$1" ] || [ -L "$1" ] || { printf 'not there'; return 1; }
  { [ -f "$1" ] && [ -r "$1" ]; } || { printf 'not a file that can be read'; return 2; }
  case $(head -c 2 "$1" | od -A n -t x1 | tr -d ' \n') in
    fffe | feff) printf 'saved as UTF-16, expected UTF-8'; return 2 ;;
  esac
  tr -d '\000' <"$1" | cmp -s - "$1" || { printf 'holds NUL bytes, expected UTF-8'; return 2; }
}

log_text() { # FILE TEXT: a line as it is. A link there is not ours, and not followed
  [ -d "$EDGE_ROOT/log" ] || mkdir -p "$EDGE_ROOT/log"
  [ ! -L "$EDGE_ROOT/log/$1" ] || rm -f "$EDGE_ROOT/log/$1"
  # In a sticky folder nobody else can replace root's files, so a check of one stays valid.
  is_ours "$EDGE_ROOT/log/$1" || new_log "$1" || return 0
  # Not `.1`: that name is logrotate's.
  if [ -f "$EDGE_ROOT/log/$1" ] && [ "$(stat -c %s "$EDGE_ROOT/log/$1")" -ge "$EDGE_LOG_SIZE" ] &&
    rename "$EDGE_ROOT/log/$1" "$EDGE_ROOT/log/$1.old"; then
    new_log "$1" "/$1.old" || return 0
    log_text "$1" "$2"
    return
  fi
  [ -e "$EDGE_ROOT/log/$1" ] || new_log "$1" || return 0
  printf '%s\n' "$2" >>"$EDGE_ROOT/log/$1"
}
# Creates an empty file with the owner, group and mode of LIKE, or else with its folder's group: on the original's image
# its server reads it.
new_log() { # FILE [/LIKE]
  # shellcheck disable=SC2046
  set -- "$1" "${2:-}" $(stat -c '%u %g %a' "$EDGE_ROOT/log${2:-}" 2>/dev/null)
  [ -n "$2" ] || set -- "$1" '' "$OWN_USER" "${4:-$OWN_GROUP}" 640
  new_log_tmp=$(new_name "$EDGE_ROOT/log/$1") || return 1
  new_log_rc=0
  (
    umask 077 && set -C && exec 8>"$new_log_tmp" || exit
    [ "${3:-}:${4:-}" = "$OWN_USER:$OWN_GROUP" ] || chown "${3:-}:${4:-}" "$OPEN" 2>/dev/null || :
    chmod "${5:-640}" "$OPEN"
  ) || return 1
  # Under sudo a file in its place is not ours, and is removed. Otherwise another script may have just written to it.
  if [ -n "${SUDO_UID:-}" ]; then
    rename "$new_log_tmp" "$EDGE_ROOT/log/$1" || new_log_rc=$?
  elif [ ! -e "$EDGE_ROOT/log/$1" ]; then
    ln "$new_log_tmp" "$EDGE_ROOT/log/$1" 2>/dev/null || :
  fi
  rm -f "$new_log_tmp"
  return "$new_log_rc"
}
log_line() { log_text "$1" "[$(date +%s)][$EDGE_LABEL] $2"; } # FILE TEXT

write_status() { # STATE
  ws_error=
  ws_completed=
  if [ -n "$ERROR_CODE" ]; then
    ws_error=",\"error\":{\"code\":$(json_string "$ERROR_CODE"),\"message\":$(json_string "$ERROR_MESSAGE")}"
  fi
  case $1 in running) ;; *) ws_completed=",\"completed_at\":\"$(now)\"" ;; esac
  printf '{"id":"%s","kind":"%s","status":"%s","progress":%d,"message":%s%s,"pid":%d,"created_at":"%s","started_at":"%s"%s}\n' \
    "$TASK_ID" "$KIND" "$1" "$PROGRESS" "$(json_string "$MESSAGE")" "$ws_error" "$$" "$CREATED_AT" "$STARTED_AT" "$ws_completed" |
    put "$TASK/status.json" 640
}

step() { # PERCENT TEXT
  PROGRESS=$1
  MESSAGE=$2
  printf '%s %3d%% %s\n' "$(now)" "$1" "$2" || :
  # Not a reason to fail: the change may be made already, and what it depends on is written by itself.
  write_status running || :
}

fail() { # CODE TEXT
  ERROR_CODE=$1
  ERROR_MESSAGE=$2
  MESSAGE=$2
  exit 1
}

# Whether the task's disk has no room for a few files more. What a failed write has left is removed by now: so not just one page.
is_full() {
  is_full_room=0
  printf '%65536s' '' | cat >"$TASK/room" || is_full_room=$?
  rm -f "$TASK/room"
  [ "$is_full_room" != 0 ]
} 2>/dev/null
# For what a write of our own may be the reason of.
fail_full() { # CODE TEXT
  ! is_full || fail NO_SPACE 'Not enough free disk space'
  fail "$1" "$2"
}

checkpoint() { # NAME: a persisted step; the tests make it fail here
  case ${EDGE_FAULT:-} in
    "$1=kill")
      echo "fault at $1" >&2
      kill -9 $$
      ;;
    "$1=error")
      echo "fault at $1" >&2
      fail E1000 "Script error"
      ;;
    "$1=hang") while :; do sleep 1; done ;;
    "$1=pause")
      : >"$TASK/paused"
      while [ -e "$TASK/paused" ]; do sleep 1; done
      ;;
  esac
  return 0
}

# udev opens every new or changed disk and volume, and meanwhile ZFS reports it as busy or does not find it. This waits
# for udev; because udev may not know of the device yet, callers retry, TRIES times in all.
# shellcheck disable=SC2034
TRIES=6
settle() {
  if command -v udevadm >/dev/null; then udevadm settle -t 10 9>&-; fi
}

# The appliance's own folders that a vendor has placed in the data folder: they are in no backup, and no restore writes
# there.
own_in_data() {
  own_data=$(cd "$EDGE_DATADIR" && pwd -P) || return 1
  for own_folder in "$here" "$EDGE_STATEDIR" "$EDGE_SYSCONFDIR" "$EDGE_ROOT" "$EDGE_ROOT/etc" "$EDGE_ROOT/bin" "$EDGE_ROOT/log" \
    "$EDGE_ROOT/tmp" "$UPLOADS"; do
    own_real=$(cd "$own_folder" 2>/dev/null && pwd -P) || continue
    case $own_real/ in "$own_data"/*) printf '%s\n' "$own_real" ;; esac
  done
}

# ---- files that go into place together, and back together (store/file-transaction.ts does the work)

# TARGET keeps its mode, and the swap keeps its owner and group. MODE is for a new file.
place() { # MODE SOURCE TARGET [secret]: stage SOURCE as TARGET's next content
  place_to=$TASK/swap/new$3
  place_mode=$1
  if [ -f "$3" ] && [ ! -L "$3" ]; then place_mode=$(kept_mode "$(stat -c %a "$3")" "${4:-}"); fi
  # Closed to others meanwhile: it may be a private key.
  mkdir -p "$(dirname -- "$place_to")" && (umask 077 && cp -f "$2" "$place_to") && chmod "$place_mode" "$place_to"
}
edge_admin() {
  "$here/edge-admin" "$@" && return 0
  edge_admin_rc=$?
  # A fault in the command's half is a power cut for both halves.
  case $edge_admin_rc-${EDGE_FAULT:-} in 137-*=kill) kill -9 $$ ;; esac
  return "$edge_admin_rc"
}
# On an image of the original root shares etc/ with the group of its server. Otherwise, and under sudo, the folder's
# creator decides who reads its files.
original_group() { # prints it
  [ -z "${SUDO_UID:-}" ] && [ "$OWN_USER" = 0 ] || return 1
  original_gid=$(stat -c %g "$EDGE_ROOT/etc") && [ "$original_gid" != 0 ] && printf '%s' "$original_gid"
}
# The rights that the original's script gives to that group, in a folder that is root's.
place_conf() { # SOURCE [secret]: stage SOURCE as $CONF
  [ -e "$CONF" ] || conf_group=$(original_group) || :
  place 640 "$1" "$CONF" "${2:-}"
}
share_conf() { [ -z "${conf_group:-}" ] || chown -h "0:$conf_group" "$CONF"; }
# The tool of an image that runs from memory writes to the target of its links: so the content is saved, not the link.
# shellcheck disable=SC2046
swap_in() { between_saves edge_admin swap in $(saves_state && echo --contents) "$TASK/swap" /; }
# shellcheck disable=SC2046
swap_keep() { between_saves edge_admin swap keep $(saves_state && echo --contents) "$TASK/swap" "$@"; } # PATH...
swap_back() { [ ! -d "$TASK/swap" ] || between_saves edge_admin swap back "$TASK/swap"; }
swap_done() { rm -rf "$TASK/swap"; }
# From here on the new files count: a task that dies is completed by recover, not undone.
swap_commit() { : | put "$TASK/committed" 640 && swap_done; }
# For recover: restores everything. False if there is nothing to restore, because it was committed (the task is then
# completed), or if it cannot be restored.
swap_undo() {
  if [ -f "$TASK/committed" ]; then
    swap_done
    END_STATE=completed
    return 1
  fi
  # For persist_end. First, because a second try finds nothing left to restore.
  [ ! -f "$TASK/swap/plan.json" ] || : | put "$TASK/put-back" 640 || :
  if swap_back; then
    swap_done
  else
    rm -f "$TASK/put-back"
    ERROR_MESSAGE="$ERROR_MESSAGE. The old files could not all be put back; they are kept with the task"
    MESSAGE=$ERROR_MESSAGE
    return 1
  fi
}

# ---- the life of a task

# Field N of a process's stat line, counted after the command name, which may contain spaces, parentheses and line ends
# (proc(5): 4 is the session, 20 the start time).
stat_field() ( # PID N
  sf_text=
  while IFS= read -r sf_line; do sf_text="$sf_text $sf_line"; done 2>/dev/null <"/proc/$1/stat"
  [ -n "$sf_text" ] || exit 1
  sf_n=$2
  # shellcheck disable=SC2086
  set -- ${sf_text##*) }
  shift $((sf_n - 1))
  printf '%s' "$1"
)

# Temporary files of a killed `put` contain its process ID. Only those are removed: other tasks also write in etc/ and
# the uploads.
write_down_who() { printf '%s\n' "$$" >>"$TASK/writers" || :; }
drop_half_written() {
  rm -f "$TASK"/.[a-z]*.[0-9]*
  [ -f "$TASK/writers" ] || return 0
  while IFS= read -r half_number; do
    case $half_number in '' | *[!0-9]*) continue ;; esac
    for half_folder in "$EDGE_ROOT/etc" "$EDGE_ROOT/log" "$UPLOADS"; do
      rm -f "$half_folder"/.*."$half_number" "$half_folder"/.*."$half_number".*
    done
  done <"$TASK/writers"
}

# The programs that every script needs before it could even report a failure; what else it runs is in its NEEDS. Checked
# first: a program that is missing in the middle of the work would look like a fault of its input.
missing_programs() { # sets MISSING
  MISSING=
  for mp_name in awk basename cat chgrp chmod chown cmp cp cut date dd dirname find flock grep head id ln mkdir mkfifo mktemp mv od rm sed sleep stat sync tail \
    timeout tr ${SUDO_UID:+node} ${NEEDS:-}; do
    command -v "$mp_name" >/dev/null 2>&1 || MISSING="$MISSING $mp_name"
  done
}

# Not every busybox has `flock -w`. If the file was removed meanwhile (forget_locks), its lock excludes nobody: then the
# new file is locked.
take_lock() { # SECONDS; false: another task has it. What else keeps flock from its work is no task
  take_lock_left=$1
  take_lock_file=$EDGE_STATEDIR/locks/$LOCK.lock
  while :; do
    exec 9>>"$take_lock_file"
    while :; do
      take_lock_rc=0
      flock -n 9 || take_lock_rc=$?
      case $take_lock_rc in
        0) break ;;
        1) ;;
        *)
          echo "the lock $LOCK cannot be taken: flock ended with exit status $take_lock_rc" >&2
          exit 69
          ;;
      esac
      [ "$take_lock_left" -gt 0 ] || return 1
      take_lock_left=$((take_lock_left - 1))
      sleep 1
    done
    # shellcheck disable=SC3013 # dash and busybox have it.
    [ ! /proc/self/fd/9 -ef "$take_lock_file" ] || return 0
  done
}

# Each dataset, and each device of a pool, has a lock file, which stays when it is destroyed. Lock files that were not
# used for a day are removed: only by their holder, and only while they are old, since another holder may have removed
# one first and a task may have created it again.
forget_locks() {
  case $LOCK in dataset-* | vdev-*) ;; *) return 0 ;; esac
  # Never parsed as text: the folder is the server's, and text after a line end in a name would become a path for root.
  # shellcheck disable=SC2016
  find "$EDGE_STATEDIR/locks/." ! -name . -prune \( -name 'dataset-*.lock' -o -name 'vdev-*.lock' \) -type f -mtime +0 -exec flock -n {} \
    sh -c '[ -z "$(find "$0" -prune -type f -mtime +0)" ] || rm -f "$0"' {} \; || :
}

# For destroying with everything below: the caller agreed to what is in `input/planned`, one GUID<tab>NAME per line, and
# to nothing else; an object that was created again under its name is another one.
refuse_new() { # FILE: what is there now, in the same form
  [ -f "$TASK/input/planned" ] || fail INVALID 'The plan is missing'
  refuse_rc=0
  refuse_names=$(grep -v -x -F -f "$TASK/input/planned" "$1") || refuse_rc=$?
  case $refuse_rc in
    0) fail CONFLICT "$(printf '%s\n' "$refuse_names" | head -n 1 | cut -f 2) was made meanwhile: ask again" ;;
    1) ;;
    *) fail E1000 'The plan cannot be read' ;;
  esac
}

on_end() { :; }
recover() { :; }

finish() { # STATE
  FINAL=1
  LAZY=
  if [ "$1" = completed ] && [ -n "$ERROR_CODE" ]; then ERROR_CODE='' MESSAGE=completed; fi
  on_end "$1"
  case $1 in completed) PROGRESS=100 ;; esac
  # On a full disk the inputs make space for it.
  write_status "$1" || {
    drop_unneeded "$TASK"
    write_status "$1"
  }
  drop_unneeded "$TASK"
  forget_old
}

# The inputs may be secrets, and nothing reads them after the end. swap/old stays: if a swap could not be undone, it has
# the only copy of the old files.
drop_unneeded() { rm -rf "$1/input" "$1/try" "$1/swap/new"; } # TASKFOLDER

ended() { # the EXIT trap of a run
  ended_rc=$?
  trap - EXIT
  trap '' INT TERM HUP
  [ -z "$FINAL" ] || exit "$ended_rc"
  if [ "$ended_rc" -eq 0 ]; then
    finish completed
  else
    [ -n "$ERROR_CODE" ] || {
      ERROR_CODE=E1000
      ERROR_MESSAGE='Script error'
      # The codes of an update are the original's.
      [ "$KIND" = update ] || ! is_full || ERROR_CODE=NO_SPACE ERROR_MESSAGE='Not enough free disk space'
      MESSAGE=$ERROR_MESSAGE
    }
    END_STATE=failed
    recover
    finish "$END_STATE"
  fi
  exit "$ended_rc"
}

load_status() { # what the task's own status says: progress and times, for the status written after it
  PROGRESS=$(sed -n 's/.*"progress":\([0-9]*\).*/\1/p' "$TASK/status.json" 2>/dev/null | head -n 1)
  CREATED_AT=$(sed -n 's/.*"created_at":"\([^"]*\)".*/\1/p' "$TASK/status.json" 2>/dev/null | head -n 1)
  STARTED_AT=$(sed -n 's/.*"started_at":"\([^"]*\)".*/\1/p' "$TASK/status.json" 2>/dev/null | head -n 1)
  # Under sudo there is no status of ours yet, but an id begins with its time.
  [ -n "$CREATED_AT" ] ||
    CREATED_AT=$(printf '%s\n' "$TASK_ID" | sed -n 's/^\(....\)\(..\)\(..\)T\(..\)\(..\)\(..\)...Z-.*/\1-\2-\3T\4:\5:\6Z/p')
  : "${PROGRESS:=0}" "${CREATED_AT:=$(now)}"
}

has_ended() { # whether the task's own status is a final one
  case $(sed -n 's/.*"status":"\([a-z]*\)".*/\1/p' "$TASK/status.json" 2>/dev/null) in
    completed | failed | cancelled | interrupted) ;;
    *) return 1 ;;
  esac
}

# The session of this process, its leader's start time, and the boot: together they detect a reused number.
who_runs() {
  who_session=$(stat_field $$ 4)
  printf '%s %s %s\n' "$who_session" "$(stat_field "$who_session" 20)" "$(cat /proc/sys/kernel/random/boot_id)"
}

# ---- under sudo: somebody less trusted made the task, owns its folder, and shares folders with us (README: "What sudo mode protects")

# Prints those of PATH... that others than root could replace or change. In a sticky folder nobody else can rename or
# remove root's files.
open_to_others() {
  find -H "$@" -prune \( ! -user 0 -o \( -perm -0020 -o -perm -0002 \) ! \( -type d -perm -1000 \) \) -print
}

# Whether FILE is root's, with this name only. Always true without sudo.
is_ours() {
  [ -z "${SUDO_UID:-}" ] && return 0
  [ -f "$1" ] && [ ! -L "$1" ] && [ -z "$(find "$1" -prune \( ! -user 0 -o -perm -0020 -o -perm -0002 -o -links +1 \) -print)" ]
}

refuse_caller() { # TEXT
  echo "refused: $1" >&2
  exit 77
}

# Everything that decides what root does must be root's: the folders up to / as named and as resolved, keys and lists.
check_folders() { # PATH...
  for co_path; do
    [ -d "$co_path" ] || refuse_caller "no such folder: $co_path (edge-admin's scripts/owners.sh makes it)"
    for co_name in "$co_path" "$(cd "$co_path" && pwd -P)"; do
      set --
      while [ -n "$co_name" ]; do
        set -- "$@" "$co_name"
        co_name=${co_name%/*}
      done
      co_open=$(open_to_others / "$@") || refuse_caller "cannot be looked at: $co_path"
      [ -z "$co_open" ] || refuse_caller "must belong to root and be writable by nobody else: $co_open"
    done
  done
}
check_owners() {
  check_folders "$here" "$EDGE_ROOT" "$EDGE_ROOT/etc" "$EDGE_ROOT/bin" "$EDGE_ROOT/log" "$EDGE_ROOT/tmp" "$UPLOADS" "$EDGE_SYSCONFDIR" \
    "$EDGE_STATEDIR" "$EDGE_STATEDIR/locks" "$EDGE_STATEDIR/work"
  for co_path in updates.key updates.pub version.txt product.txt debug.txt backup.txt logs.txt license.pub; do
    co_path=$EDGE_ROOT/etc/$co_path
    { [ ! -e "$co_path" ] && [ ! -L "$co_path" ]; } || is_ours "$co_path" ||
      refuse_caller "must belong to root and be writable by nobody else: $co_path"
  done
}

# Our own folder for the task: status, pid, inputs and swap are never read from the caller's. A task runs once.
take_task() {
  check_owners
  case $SUDO_UID-${SUDO_GID:-} in *[!0-9-]* | -* | *-) refuse_caller 'no caller' ;; esac
  TASK=$EDGE_STATEDIR/work/$TASK_ID
  if [ "$ACTION" = run ]; then
    mkdir "$TASK" || refuse_caller "this task was run before: $TASK_ID"
  elif [ ! -d "$TASK" ]; then
    mkdir "$TASK" || exit
  fi
}

# The inputs are read with the caller's rights, so that a link gives access to nothing more.
take_inputs() {
  [ -n "${SUDO_UID:-}" ] || return 0
  edge_admin take "$SUDO_UID" "$SUDO_GID" "$EDGE_STATEDIR/tasks/$TASK_ID/input" "$TASK/input" || fail E1000 'The files of the task cannot be read'
}

# The server removes old tasks; then our part of them is removed, too, regardless of its content. A task that was killed
# after its last status still has inputs.
forget_old() {
  [ -n "${SUDO_UID:-}" ] || return 0
  for forget_task in "$EDGE_STATEDIR"/work/*; do
    [ "$forget_task" != "$TASK" ] || continue
    if grep -q -E '"status":"(completed|failed|cancelled|interrupted)"' "$forget_task/status.json" 2>/dev/null; then
      drop_unneeded "$forget_task"
    elif [ -f "$forget_task/swap/plan.json" ] || is_alive "$forget_task"; then
      continue
    fi
    [ -e "$EDGE_STATEDIR/tasks/${forget_task##*/}" ] || rm -rf "$forget_task"
  done
}

is_alive() { # TASKFOLDER: whether the script of that task still runs, by its own record
  read -r alive_session alive_start alive_boot 2>/dev/null <"$1/pid" || return 1
  [ "$alive_boot" = "$(cat /proc/sys/kernel/random/boot_id)" ] && [ "$(stat_field "$alive_session" 20)" = "$alive_start" ]
}

main() {
  missing_programs
  [ -z "$MISSING" ] || { echo "missing on this system:$MISSING" >&2; exit 69; }
  # shellcheck source=processes.sh
  . "$here/processes.sh"
  # shellcheck source=hook.sh
  . "$here/hook.sh"
  # shellcheck source=memory-image.sh
  . "$here/memory-image.sh"
  ACTION=$1
  TASK=$2
  shift 2
  TASK_ID=${TASK##*/}
  : "${KIND:=$(basename -- "$0" .sh)}"
  case ${TASK#"$EDGE_STATEDIR"/tasks/} in
    '' | *[!A-Za-z0-9-]*)
      echo "not a task folder: $TASK" >&2
      exit 64
      ;;
  esac
  { [ -d "$TASK" ] && [ ! -L "$TASK" ]; } || { echo "no such task folder: $TASK" >&2; exit 64; }
  [ -z "${SUDO_UID:-}" ] || take_task
  load_status
  mkdir -p "$EDGE_STATEDIR/locks"
  [ ! -L "$EDGE_STATEDIR/locks/$LOCK.lock" ] || rm -f "$EDGE_STATEDIR/locks/$LOCK.lock"
  case $ACTION in
    run)
      # Held: another task of this kind is running. We must not touch its status, and ours never started.
      STARTED_AT=$(now)
      # Retried once: the server's own check holds the lock for a moment.
      take_lock 1 || {
        # Cancelled before it began: the holder of the lock is about to record that.
        ! has_ended || exit 75
        ERROR_CODE=BUSY
        ERROR_MESSAGE='already running'
        write_status failed
        exit 75
      }
      ! has_ended || exit 75
      who_runs | put "$TASK/pid" 640
      write_down_who
      trap ended EXIT
      trap 'exit 143' TERM INT HUP
      step 0 started
      take_inputs
      forget_locks
      run "$@"
      # An explicit exit: an update may have replaced the file that this shell is still reading.
      exit
      ;;
    recover | cancel)
      # A process that is left from a task that ended by itself is a service that its hook started.
      if has_ended; then
        take_lock 1 && drop_half_written
        exit 0
      fi
      end_leftovers
      main_tries=20
      # A task that has just begun may hold the lock already without having recorded its process.
      until take_lock 1; do
        main_tries=$((main_tries - 1))
        [ "$main_tries" -gt 0 ] || { echo "the lock $LOCK is still held" >&2; exit 75; }
        end_leftovers
      done
      drop_half_written
      ! has_ended || exit 0
      write_down_who
      who_runs | put "$TASK/ending" 640 || :
      : "${STARTED_AT:=$(now)}"
      if [ "$ACTION" = cancel ]; then
        ERROR_CODE=CANCELLED
        ERROR_MESSAGE='Cancelled'
        END_STATE=cancelled
      else
        ERROR_CODE=E1000
        ERROR_MESSAGE='Script error'
        END_STATE=interrupted
      fi
      MESSAGE=$ERROR_MESSAGE
      recover "$@"
      finish "$END_STATE"
      exit 0
      ;;
    *)
      echo "usage: $0 run|recover|cancel TASKDIR [ARGUMENT...]" >&2
      exit 64
      ;;
  esac
}
