#!/bin/sh
# Prints which services are running, according to their init scripts: `services.sh status NAME...`, one name per line.
# For `"privilege": "sudo"`, because these scripts need root. It is not a task, so the checks of lib.sh are repeated
# here.
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
SECONDS_ALLOWED=5

told() { # NAME: what its script says. Through a pipe, by a reader with a limit and an end: it may print for ever, or leave something behind that holds the pipe
  told_file=$EDGE_SYSCONFDIR/init.d/$1
  { [ -f "$told_file" ] && is_ours "$told_file"; } || return 0
  timeout -s KILL "$SECONDS_ALLOWED" "$told_file" status 2>/dev/null | timeout -s KILL "$((SECONDS_ALLOWED + 1))" cat | head -c 65536
}

[ "${1:-}" = status ] || { echo "usage: $0 status NAME..." >&2; exit 64; }
shift
for name; do
  case $name in '' | [!A-Za-z0-9]* | *[!A-Za-z0-9@_.-]*) echo "not the name of a service: $name" >&2; exit 64 ;; esac
done
# Without one of them no init script would print anything, which would look as if no service were running.
missing_programs
[ -z "$MISSING" ] || { echo "missing on this system:$MISSING" >&2; exit 69; }
[ -z "${SUDO_UID:-}" ] || check_folders "$here" "$EDGE_SYSCONFDIR" "$EDGE_SYSCONFDIR/init.d"
count=0
for name; do
  (
    exec </dev/null
    if told "$name" | grep -q -E '(^|[^A-Za-z0-9_])(is running|online)([^A-Za-z0-9_]|$)'; then printf '%s\n' "$name"; fi
  ) &
  count=$((count + 1))
  [ $((count % 8)) -ne 0 ] || wait
done
wait
