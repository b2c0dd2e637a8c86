#!/bin/sh
# Lets the original's bin/wrapper.sh do a task, called in the same way as by the original's server: `wrapper.sh run
# TASKDIR KIND [ARGUMENT]`. It finds its verb in SSH_ORIGINAL_COMMAND, its argument as $1, and its files in the uploads
# under fixed names. It has its own locks and status files, and repairs nothing after a kill: that is done here.
KIND=${3:-}
case $KIND in
  '' | *[!a-z]*)
    echo "usage: $0 run|recover|cancel TASKDIR KIND [ARGUMENT]" >&2
    exit 64
    ;;
  restore) LOCK=backup ;;
  debug) LOCK=logs ;;
  *) LOCK=$KIND ;;
esac
# Under sudo lib.sh reads it from `settings`.
[ -z "${SUDO_UID:-}" ] || unset EDGE_WRAPPER
NEEDS='node openssl'
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# The kind of the task is the work, not the way it is done.
KIND=$3
ETC=$EDGE_ROOT/etc
PACKAGE=software_package-zzz.enc
# shellcheck source=license-verdict.sh
. "$here/license-verdict.sh"
# shellcheck source=conf.sh
. "$here/conf.sh"
# shellcheck source=secrets.sh
. "$here/secrets.sh"

# As with the original's server: a umask that lets its other users read the scripts' files, and a HOME, which
# /etc/profile may need.
original() ( # VERB [ARGUMENT]
  umask 022
  : "${HOME:=/}"
  SSH_ORIGINAL_COMMAND=$1
  export HOME SSH_ORIGINAL_COMMAND
  shift
  exec "$EDGE_WRAPPER" "$@" 9>&-
)

# The log that the server opened. A terminal or a pipe cannot be read again.
LOG=/proc/$$/fd/1
log_size() { if log_is_callers; then stat -L -c %s "$LOG"; else echo 0; fi; }
# The log's path may lead to a file that the caller has no right to read (open(2), O_PATH).
log_is_callers() { [ -f "$LOG" ] && { [ -z "${SUDO_UID:-}" ] || [ "$(stat -L -c %u "$LOG")" = "$SUDO_UID" ]; }; }

original_failed() { # EXIT-STATUS FROM
  original_why=$(original_fault "$1" "$2")
  # It also asks the vendor's license.sh, and restores nothing after a no. After a yes, something else failed. With a
  # time limit: that file is the server's, and may be a pipe by now.
  [ "$KIND" != license ] || ! timeout 10 cmp -s "$TASK/input/license.asc" "$ETC/license.asc" || license_ask || :
  fail E1000 "$original_why"
}

# The reason for the failure in one sentence: what prevented the work, or the last line of output.
original_fault() { # EXIT-STATUS FROM
  hook_file=$EDGE_WRAPPER hook_name=${EDGE_WRAPPER##*/}
  fault_why=$(hook_fault "$1")
  printf '%s' "$fault_why"
  case $fault_why in
    *"exit status $1") original_said=$(said_last "$2") && [ -z "$original_said" ] || printf ': %s' "$original_said" ;;
  esac
}

# It goes to clients: one short line, redacted like the log, without control characters.
said_last() { # FROM: the last line behind that byte of the log that says something
  log_is_callers || return 0
  said_new=$(($(log_size) - $1))
  [ "$said_new" -gt 0 ] || return 0
  # If the list of secrets is unknown, nothing is shown.
  known_secrets || return 0
  if [ "$said_new" -le "$SAID_NEAR" ]; then
    tail -c "$said_new" "$LOG"
  else
    # Half a line could be half a secret, which would not be masked.
    tail -c "$SAID_NEAR" "$LOG" | sed 1d
  fi | tr '\r\t' '\n ' | sed "s/$(printf '\033')\[[0-9;?]*[@-~]//g" | awk -v "secrets=$TASK/try/secrets" -f "$here/redact.awk" |
    tr -c '\n -~' '?' | awk 'NF { last = $0 } END { print last }' | sed 's/^ *//; s/ *$//' | cut -c 1-300
  rm -rf "$TASK/try"
}
SAID_NEAR=16384

# Only we can read it; after a kill it is removed with the inputs. With a time limit: some of those files are the
# server's, and may be pipes by now.
known_secrets() { # as $TASK/try/secrets
  (umask 077 && mkdir -p "$TASK/try" && limited 10 all_secrets >"$TASK/try/secrets" 2>/dev/null) && return 0
  rm -rf "$TASK/try"
  return 1
}
# shellcheck disable=SC2317 # Through `limited`.
all_secrets() { collect_secrets && collect_input_secrets; }

# The original gives it to its own group; under sudo the server may be in another one, and has to read it.
give_token() {
  [ -n "${SUDO_UID:-}" ] && [ -n "$(find "$ETC/api.token" -prune -user 0 -links 1)" ] || return 0
  chown "$SUDO_UID:$SUDO_GID" "$ETC/api.token"
}

# Recorded first: if this task dies, recover removes the private key from there.
placed() { printf '%s\n' "$1" >>"$TASK/placed" || fail E1000 'The files could not be stored'; } # NAME

refuse_settings() {
  log_line "update_$KIND.log" 'Invalid or missing settings file'
  fail E1000 'Invalid or missing settings file'
}

# The original puts them in place without reading them, and a vendor's shell sources them as root. It also takes a
# network-config from the uploads, which is for root users of SFTP or SSH, and never an input.
check_inputs() { # [ARGUMENT]
  [ ! -e "$TASK/input/network-config" ] || refuse_settings
  case $KIND in
    settings)
      settings_given "${1:-}" || refuse_settings
      given=$UPLOADS/network-config
      { [ ! -e "$given" ] && [ ! -L "$given" ]; } || is_ours "$given" || fail E1000 "Must belong to root and be writable by nobody else: $given"
      ;;
    storage) storage_given || refuse_settings ;;
  esac
}

run() { # KIND [ARGUMENT]
  case ${2:-} in *[!A-Za-z0-9._-]*) fail E1000 'Script error' ;; esac
  [ -f "${EDGE_WRAPPER:-}" ] || fail E1000 'The wrapper is missing'
  is_ours "$EDGE_WRAPPER" || fail E1000 "The wrapper must belong to root and be writable by nobody else"
  check_inputs "${2:-}"
  mkdir -p "$UPLOADS"
  # The server has put it there itself.
  [ "$KIND" != update ] || placed "$PACKAGE"
  for input in "$TASK"/input/*; do
    { [ -f "$input" ] && [ ! -L "$input" ]; } || continue
    name=${input##*/}
    placed "$name"
    put "$UPLOADS/$name" 640 <"$input" || fail E1000 'The files could not be stored'
    # The others are small, and after the original's run they are the only record of the candidate and its secrets.
    [ "$KIND" != restore ] || rm -f "$input"
  done
  checkpoint wrapper-placed
  # The original overwrites the old license with the new one, without asking anybody.
  [ "$KIND" != license ] || swap_keep "$ETC/license.asc" || fail E1000 'The license could not be stored'
  : | put "$TASK/called" 640 || fail E1000 'Script error'
  original_from=$(log_size)
  original_rc=0
  case $KIND in
    restore) original backup RESTORE ;;
    *) original "$KIND" ${2:+"$2"} ;;
  esac || original_rc=$?
  [ "$original_rc" -eq 0 ] || original_failed "$original_rc" "$original_from"
  [ "$KIND" != token ] || give_token
  # A task that it has stopped keeps the status `failed`.
  [ "$KIND-${2:-}" != backup-STOP ] || [ -e "$UPLOADS/backup.tar" ] || rm -f "$UPLOADS/backup.json"
  : | put "$TASK/returned" 640
  checkpoint wrapper-returned
  [ "$KIND" != license ] || license_decide
}

# ---- after a kill

originals_locks() { # the scripts that the verb starts, by their locks
  case $KIND in
    update) set -- vm ;;
    restore) set -- backup ;;
    debug) set -- logs debug ;;
    *) set -- "$KIND" ;;
  esac
  for lock_of; do printf '%s/tmp/update_%s.sh.task\n' "${EDGE_NETROOT:-}" "$lock_of"; done
}

# A lock of the original's stays when its script is killed, and would block every later one until the next boot. A lock
# that is older than our call, or names a running process, is somebody else's: the scripts are used over SSH as well.
forget_originals_locks() {
  for lock_file in $(originals_locks); do
    { [ -f "$lock_file" ] && [ ! -L "$lock_file" ]; } || continue
    # shellcheck disable=SC3013 # dash and busybox have it.
    [ ! "$lock_file" -ot "$TASK/called" ] || continue
    read -r lock_process <"$lock_file" || :
    case $lock_process in
      '' | *[!0-9]*) ;;
      *) [ ! -d "/proc/$lock_process" ] || continue ;;
    esac
    rm -f "$lock_file"
  done
}
is_original_at_work() {
  for lock_file in $(originals_locks); do [ ! -f "$lock_file" ] || return 0; done
  return 1
}

says_running() { grep -q running "$1" 2>/dev/null; } # FILE

# Clients poll the original's status files, and a killed script cannot report its failure there. The text is one that
# they know; the task has the reason.
tell_end() {
  case $KIND in
    update)
      { says_running "$ETC/status_update.txt" || says_running "$ETC/status_update.json"; } || return 0
      rm -rf "$EDGE_ROOT/tmp/update" "$EDGE_ROOT/tmp/extracted" "$EDGE_ROOT"/tmp/software_package*
      tell_at=$(sed -n 's/.*"percentage": *\([0-9]*\).*/\1/p' "$ETC/status_update.json" 2>/dev/null | head -n 1)
      put_anyhow "$ETC/status_error_message.txt" 644 "Script error$NEWLINE"
      put_anyhow "$ETC/status_error_code.txt" 644 "E1000$NEWLINE"
      put_anyhow "$ETC/status_update.txt" 644 "failed$NEWLINE"
      put_anyhow "$ETC/status_update.json" 644 "{\"status\":\"failed\",\"percentage\":${tell_at:-10}}$NEWLINE"
      ;;
    certs)
      ! says_running "$ETC/status_certs.txt" || put_anyhow "$ETC/status_certs.txt" 644 "failed$NEWLINE"
      ;;
    backup)
      if [ "$ACTION" = cancel ]; then
        rm -f "$UPLOADS/backup.tar" "$UPLOADS/backup.json"
      elif says_running "$UPLOADS/backup.json"; then
        rm -f "$UPLOADS/backup.tar"
        put_anyhow "$UPLOADS/backup.json" 644 '{"status":"failed"}'
      fi
      ;;
  esac
}
NEWLINE='
'

# The machine went down during the original's work.
has_rebooted() {
  read -r _ _ rebooted_from 2>/dev/null <"$TASK/pid" || return 1
  [ "$rebooted_from" != "$(cat /proc/sys/kernel/random/boot_id)" ]
}

recover() { # KIND [ARGUMENT]
  # Unless the vendor's yes was recorded.
  [ "$KIND" != license ] || swap_undo || :
  if [ -f "$TASK/placed" ]; then
    while IFS= read -r name; do
      case $name in '' | */*) ;; *) rm -f "$UPLOADS/$name" ;; esac
    done <"$TASK/placed"
  fi
  [ -f "$TASK/called" ] || return 0
  if [ "$ACTION" = run ]; then
    is_original_at_work || tell_end
    return
  fi
  # Only the task's own status is missing.
  if { [ "$KIND" != license ] && [ -f "$TASK/returned" ]; } || { [ "$KIND" = reboot ] && has_rebooted; }; then
    END_STATE=completed
    return
  fi
  forget_originals_locks
  # A backup is stopped by its verb alone: a `backup STOP` that dies changes nothing that it would not have changed.
  [ "$KIND-${2:-}" = backup-STOP ] || tell_end
}

# A running backup is first ended in the original's own way, so that it removes its lock itself.
if [ "${1:-}" = cancel ] && [ "$KIND-${4:-}" = backup-START ] && [ -f "${EDGE_WRAPPER:-}" ] && is_ours "$EDGE_WRAPPER"; then
  stop_task=$2
  [ -z "${SUDO_UID:-}" ] || stop_task=$EDGE_STATEDIR/work/${2##*/}
  ! is_alive "$stop_task" || original backup STOP || :
fi

on_end() { [ "$KIND" != license ] || license_end "$1"; }

main "$@"
