#!/bin/sh
# Hands a task to the original's bin/wrapper.sh: `wrapper.sh run TASKDIR ACTION [ARGUMENT]`. A newcomer's trap: the original finds its files in
# the uploads folder under fixed names and its action in SSH_ORIGINAL_COMMAND; it keeps locks of its own, ours is taken as well.
[ -z "${SUDO_UID:-}" ] || unset EDGE_WRAPPER
case ${3:-} in
  update | settings | storage | certs | license | token | backup | replication | logs | services | reboot) LOCK=$3 ;;
  restore) LOCK=backup ;;
  debug) LOCK=logs ;;
  *)
    echo "usage: $0 run|recover|cancel TASKDIR ACTION [ARGUMENT]" >&2
    exit 64
    ;;
esac
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# The task is what it does, not how.
KIND=$3

run() {
  case ${2:-} in *[!A-Za-z0-9._-]*) fail E1000 'Script error' ;; esac
  [ -f "${EDGE_WRAPPER:-}" ] || fail E1000 'The wrapper is missing'
  mkdir -p "$UPLOADS"
  for input in "$TASK"/input/*; do
    { [ -f "$input" ] && [ ! -L "$input" ]; } || continue
    name=${input##*/}
    # Written down first: when this task dies, nobody else takes a private key away from there.
    printf '%s\n' "$name" >>"$TASK/placed" || fail E1000 'The files could not be stored'
    put "$UPLOADS/$name" 640 <"$input" || fail E1000 'The files could not be stored'
    rm -f "$input"
  done
  checkpoint wrapper-placed
  case $1 in
    restore) command='backup RESTORE' ;;
    *) command="$1${2:+ $2}" ;;
  esac
  SSH_ORIGINAL_COMMAND=$command "$EDGE_WRAPPER" 9>&- || fail E1000 'Script error'
  : | put "$TASK/returned" 640
  checkpoint wrapper-returned
}

recover() {
  # All that was missing is the task's own status.
  [ ! -f "$TASK/returned" ] || [ "$ACTION" = run ] || END_STATE=completed
  [ -f "$TASK/placed" ] || return 0
  while IFS= read -r name; do
    case $name in '' | */*) ;; *) rm -f "$UPLOADS/$name" ;; esac
  done <"$TASK/placed"
}

main "$@"
