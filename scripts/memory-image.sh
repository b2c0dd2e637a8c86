# shellcheck shell=sh
# An image that runs from memory keeps its state on a disk through a tool of its own. Sourced by lib.sh, and by itself for a command that is
# no task (src/cli/save-state.ts). A newcomer's trap: the tool lays links to the disk in place of the files that it saved.
PERSIST_TOOL=${EDGE_NETROOT:-}/usr/bin/symlinktool.sh
PERSIST_DEVICE=${EDGE_NETROOT:-}/etc/sysconfig/backup_device

saves_state() { [ -x "$PERSIST_TOOL" ]; }

# A save that began before it would lay links in the place of the files that it puts there, or save only some of them.
between_saves() { # COMMAND...
  saves_state || { "$@"; return; }
  (
    # Behind a save that does not end the old files come back all the same.
    persist_turn || :
    "$@" 7>&-
  ) 7>>"$EDGE_STATEDIR/locks/memory-image.lock"
}

# At the end of a task that puts files in place. What it has put back is saved as well: whoever saved the state meanwhile saved the new files.
persist_end() { # STATE
  [ "$1" = completed ] || [ -f "$TASK/put-back" ] || return 0
  persist || echo 'the state could not be made persistent'
  rm -f "$TASK/put-back"
}

persist() {
  saves_state || return 0
  persist_device=
  read -r persist_device 2>/dev/null <"$PERSIST_DEVICE" || [ -n "$persist_device" ] || return 0
  # Editors on Windows add a byte order mark and carriage returns. `edited` in lib.sh removes them as well, but lib.sh is not loaded when a command
  # (not a task) runs this file.
  persist_device=${persist_device#"$(printf '\357\273\277')"}
  persist_device=${persist_device%"$(printf '\r')"}
  persist_device=${persist_device%"${persist_device##*[! ]}"}
  # Without its first slash, as the original has it: boot scripts write `sda1/`.
  case $persist_device in */*) persist_device=${persist_device%%/*}${persist_device#*/} ;; esac
  [ -n "$persist_device" ] || return 0
  # A command that is no task has a limit of its own (src/features/memory-image.ts).
  [ -n "${EDGE_STATEDIR:-}" ] || { persist_call; return; }
  (
    # The script alone has the lock of the task.
    exec 9>&-
    persist_turn && persist_limited && persist_owners
  ) 7>>"$EDGE_STATEDIR/locks/memory-image.lock"
}

# Two at once would write the same copies. Not for ever: a task that waits here has its lock, and no end yet.
persist_turn() {
  persist_left=$EDGE_HOOK_SECONDS
  while :; do
    persist_rc=0
    flock -n 7 || persist_rc=$?
    [ "$persist_rc" -ne 0 ] || return 0
    [ "$persist_rc" -eq 1 ] || { echo "flock ended with exit status $persist_rc"; return 1; }
    [ "$persist_left" -gt 0 ] || { echo "another task has kept ${PERSIST_TOOL##*/} for $EDGE_HOOK_SECONDS seconds"; return 1; }
    persist_left=$((persist_left - 1))
    sleep 1
  done
}

persist_limited() {
  rm -f "$TASK/late"
  persist_rc=0
  limited "$EDGE_HOOK_SECONDS" persist_call || persist_rc=$?
  [ ! -e "$TASK/late" ] || echo "${PERSIST_TOOL##*/} took longer than $EDGE_HOOK_SECONDS seconds, and was ended"
  rm -f "$TASK/late"
  return "$persist_rc"
}

persist_call() (
  exec 7>&-
  "$PERSIST_TOOL" -c "$persist_device" && "$PERSIST_TOOL" -r "$persist_device"
)

persist_owners() {
  [ -n "${SUDO_UID:-}" ] || return 0
  # In a sticky folder the server could not replace a link of root's by its next file.
  for persist_name in api.token api.token.setup metrics.token license.asc; do
    # Of root's own alone, which nobody else can exchange there.
    [ -n "$(find -H "$EDGE_ROOT/etc/." ! -name . -prune -name "$persist_name" -type l -user 0 -links 1 -print)" ] || continue
    # shellcheck disable=SC2153 # sudo sets both
    chown -h "$SUDO_UID:$SUDO_GID" "$EDGE_ROOT/etc/$persist_name"
  done
}
