#!/bin/sh
# Lets the original's bin/wrapper.sh do a task, called as the original's server calls it: `wrapper.sh run TASKDIR KIND [ARGUMENT]`. A newcomer's
# trap: that one finds its verb in SSH_ORIGINAL_COMMAND alone, the argument is its $1, and its files lie in the uploads under fixed names. It has
# locks and status files of its own, and puts nothing right after a kill: that is done here.
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
# The task is what it does, not how.
KIND=$3
ETC=$EDGE_ROOT/etc
PACKAGE=software_package-zzz.enc
# shellcheck source=license-verdict.sh
. "$here/license-verdict.sh"
# shellcheck source=conf.sh
. "$here/conf.sh"
# shellcheck source=secrets.sh
. "$here/secrets.sh"

# What the original's server has: a umask that lets its other users read what the scripts make, and a home, which /etc/profile may ask for.
original() ( # VERB [ARGUMENT]
  umask 022
  : "${HOME:=/}"
  SSH_ORIGINAL_COMMAND=$1
  export HOME SSH_ORIGINAL_COMMAND
  shift
  exec "$EDGE_WRAPPER" "$@" 9>&-
)

# Ours, as the server opened it. What is no file (a terminal, a pipe) cannot be read again.
LOG=/proc/$$/fd/1
log_size() { if log_is_callers; then stat -L -c %s "$LOG"; else echo 0; fi; }
# What sudo was given for it may lead to a file that the caller has no right to read (open(2), O_PATH).
log_is_callers() { [ -f "$LOG" ] && { [ -z "${SUDO_UID:-}" ] || [ "$(stat -L -c %u "$LOG")" = "$SUDO_UID" ]; }; }

original_failed() { # EXIT-STATUS FROM
  original_why=$(original_fault "$1" "$2")
  # It asks the vendor's license.sh as well, and takes nothing back after a no. After a yes it is something else that failed.
  # Not for ever: that file is the server's, and may be a pipe by now.
  [ "$KIND" != license ] || ! timeout 10 cmp -s "$TASK/input/license.asc" "$ETC/license.asc" || license_ask || :
  fail E1000 "$original_why"
}

# Why it failed, in a sentence: what kept it from its work, or what it said last.
original_fault() { # EXIT-STATUS FROM
  hook_file=$EDGE_WRAPPER hook_name=${EDGE_WRAPPER##*/}
  fault_why=$(hook_fault "$1")
  printf '%s' "$fault_why"
  case $fault_why in
    *"exit status $1") original_said=$(said_last "$2") && [ -z "$original_said" ] || printf ': %s' "$original_said" ;;
  esac
}

# It goes to clients: one short line, masked as the log is for people, without what a terminal obeys.
said_last() { # FROM: the last line behind that byte of the log that says something
  log_is_callers || return 0
  said_new=$(($(log_size) - $1))
  [ "$said_new" -gt 0 ] || return 0
  # Where nobody knows what to mask, nothing is said.
  known_secrets || return 0
  if [ "$said_new" -le "$SAID_NEAR" ]; then
    tail -c "$said_new" "$LOG"
  else
    # Half a line could be half a secret, and nothing would mask it.
    tail -c "$SAID_NEAR" "$LOG" | sed 1d
  fi | tr '\r\t' '\n ' | sed "s/$(printf '\033')\[[0-9;?]*[@-~]//g" | awk -v "secrets=$TASK/try/secrets" -f "$here/redact.awk" |
    tr -c '\n -~' '?' | awk 'NF { last = $0 } END { print last }' | sed 's/^ *//; s/ *$//' | cut -c 1-300
  rm -rf "$TASK/try"
}
SAID_NEAR=16384

# As long as it lies there, nobody else reads it; what a kill leaves goes with the inputs. Not for ever: some of those files are the server's, and may
# be pipes by now.
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

# Written down first: when this task dies, nobody else takes a private key away from there.
placed() { printf '%s\n' "$1" >>"$TASK/placed" || fail E1000 'The files could not be stored'; } # NAME

refuse_settings() {
  log_line "update_$KIND.log" 'Invalid or missing settings file'
  fail E1000 'Invalid or missing settings file'
}

# The original puts them in place unread, and a vendor's shell sources them as root. It takes a network-config from the uploads as well, which is
# for whoever is root by SFTP or SSH, and never an input.
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
  # The server has laid it there itself.
  [ "$KIND" != update ] || placed "$PACKAGE"
  for input in "$TASK"/input/*; do
    { [ -f "$input" ] && [ ! -L "$input" ]; } || continue
    name=${input##*/}
    placed "$name"
    put "$UPLOADS/$name" 640 <"$input" || fail E1000 'The files could not be stored'
    # The others are small, and nothing else says once the original is done what the candidate was, and which secrets came with it.
    [ "$KIND" != restore ] || rm -f "$input"
  done
  checkpoint wrapper-placed
  # The original puts a license in place, writes over the old one, and asks nobody.
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
  # One that it has stopped says `failed` for ever.
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

# A lock of the original's stays when its script is killed, and would refuse every later one until the next boot. One that is older than our
# call, or names a process that lives, is somebody else's: the scripts are used over SSH as well.
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

# Clients poll the original's status files, and what was killed cannot say there that it failed. In words that they know: why it failed is the task's.
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

# The machine went down while the original was at it.
has_rebooted() {
  read -r _ _ rebooted_from 2>/dev/null <"$TASK/pid" || return 1
  [ "$rebooted_from" != "$(cat /proc/sys/kernel/random/boot_id)" ]
}

recover() { # KIND [ARGUMENT]
  # Unless the vendor said yes and that was written down.
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
  # All that was missing is the task's own status.
  if { [ "$KIND" != license ] && [ -f "$TASK/returned" ]; } || { [ "$KIND" = reboot ] && has_rebooted; }; then
    END_STATE=completed
    return
  fi
  forget_originals_locks
  # A backup is stopped by name, and not with what else it may have: `backup STOP` that died changes nothing that it would not have changed.
  [ "$KIND-${2:-}" = backup-STOP ] || tell_end
}

# A backup that runs is ended in the original's own way first, so that it takes its lock away by itself.
if [ "${1:-}" = cancel ] && [ "$KIND-${4:-}" = backup-START ] && [ -f "${EDGE_WRAPPER:-}" ] && is_ours "$EDGE_WRAPPER"; then
  stop_task=$2
  [ -z "${SUDO_UID:-}" ] || stop_task=$EDGE_STATEDIR/work/${2##*/}
  ! is_alive "$stop_task" || original backup STOP || :
fi

on_end() { [ "$KIND" != license ] || license_end "$1"; }

main "$@"
