# shellcheck shell=sh
# An image that runs from memory saves its state to a disk with its own tool. Sourced by lib.sh, and directly for a
# command that is not a task (src/cli/save-state.ts). The tool replaces the files that it saved with links to the disk.
PERSIST_TOOL=${EDGE_NETROOT:-}/usr/bin/symlinktool.sh
PERSIST_DEVICE=${EDGE_NETROOT:-}/etc/sysconfig/backup_device

saves_state() { [ -x "$PERSIST_TOOL" ]; }

# A save that began earlier would put links in the place of the new files, or save only some of them.
between_saves() { # COMMAND...
  saves_state || { "$@"; return; }
  (
    # If the save does not end, the old files are restored all the same.
    persist_turn || :
    "$@" 7>&-
  ) 7>>"$EDGE_STATEDIR/locks/memory-image.lock"
}

# At the end of a task that replaces files. Restored files are saved as well: a save in between has saved the new ones.
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
  # Without its first slash, as in the original: boot scripts write `sda1/`.
  case $persist_device in */*) persist_device=${persist_device%%/*}${persist_device#*/} ;; esac
  [ -n "$persist_device" ] || return 0
  # A command that is not a task has its own limit (src/features/memory-image.ts).
  [ -n "${EDGE_STATEDIR:-}" ] || { persist_call; return; }
  (
    # Only the script holds the lock of the task.
    exec 9>&-
    persist_turn && persist_limited && persist_owners
  ) 7>>"$EDGE_STATEDIR/locks/memory-image.lock"
}

# Two at once would write the same copies. With a limit: a task that waits here keeps its lock and cannot end.
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
    # Only files of root's that nobody else can replace there.
    [ -n "$(find -H "$EDGE_ROOT/etc/." ! -name . -prune -name "$persist_name" -type l -user 0 -links 1 -print)" ] || continue
    # shellcheck disable=SC2153 # sudo sets both
    chown -h "$SUDO_UID:$SUDO_GID" "$EDGE_ROOT/etc/$persist_name"
  done
}
