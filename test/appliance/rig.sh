#!/bin/sh
# `make test-appliance`: runs suite.sh within a limit of time and leaves nothing behind. A newcomer's trap: a program that a test started may
# outlive the test, so the whole group is ended, and only then its temporary files.
set -eu
LIMIT=${EDGE_VM_LIMIT:-4500}
TMPDIR=$(mktemp -d)
export TMPDIR
group=

# Once politely: a build takes its mounts away.
# shellcheck disable=SC2317 # the trap calls it
end_group() {
  for signal in TERM KILL; do
    rounds=80
    [ -z "$group" ] || kill "-$signal" "-$group" 2>/dev/null || :
    while [ -n "$group" ] && kill -0 "-$group" 2>/dev/null && [ "$rounds" -gt 0 ]; do
      rounds=$((rounds - 1))
      sleep 0.1 2>/dev/null || sleep 1
    done
  done
  rm -rf "$TMPDIR"
}
trap end_group EXIT
trap 'exit 130' INT TERM HUP

# `timeout` makes the group.
timeout -k 20 "$LIMIT" "$(dirname -- "$0")/suite.sh" "$@" &
group=$!
code=0
wait "$group" || code=$?
case $code in
  124 | 137)
    echo "rig: not done in $LIMIT seconds" >&2
    echo '0 passed, 1 failed, 0 skipped'
    ;;
esac
exit "$code"
