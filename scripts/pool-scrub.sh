#!/bin/sh
# Scrubs a pool and follows the scrub to its end: `pool-scrub.sh run TASKDIR LOCK`. The scrub runs in the kernel and
# survives a kill and a reboot, so `recover` continues to follow it, in a process that keeps the lock.
LOCK=${3:-}
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=zpool.sh
. "$here/zpool.sh"

# Sets SCAN to the pool's scan line about the scrub and its continuation lines. The state before the start is kept in
# `begun`: a different end is that of our scrub.
look() {
  look_text=$(TZ=UTC0 zpool_look status -p "$NAME" 2>"$TASK/said") || {
    case $(cat "$TASK/said") in
      *'no such pool'*) fail NOT_FOUND "$(zpool_said "$TASK/said")" ;;
    esac
    return 1
  }
  # A rebuild has its own scan line, and a running one says nothing about the scrub.
  SCAN=$(printf '%s\n' "$look_text" | awk '/^ *[a-z]+:/ { scrub = /^ *scan: scrub/ } scrub')
}

percent() { printf '%s\n' "$SCAN" | sed -n 's/.* \([0-9][0-9]*\)\.[0-9]*% done.*/\1/p' | head -n 1; }

# Checks once; true while it is running.
going() {
  case $SCAN in
    *'scrub in progress'*)
      going_percent=$(percent)
      : "${going_percent:=0}"
      # 100 is for the end.
      [ "$going_percent" -lt 100 ] || going_percent=99
      [ "$going_percent $MESSAGE" = "$PROGRESS scrubbing" ] || step "$going_percent" scrubbing
      ;;
    *'scrub paused'*) [ "$MESSAGE" = paused ] || step "$PROGRESS" paused ;;
    *) return 1 ;;
  esac
}

follow() {
  step "$PROGRESS" scrubbing
  follow_pause=1
  follow_blind=0
  while :; do
    if look; then
      follow_blind=0
      going || break
    else
      follow_blind=$((follow_blind + 1))
      [ "$follow_blind" -lt 10 ] || fail UNAVAILABLE 'zpool does not say how the scrub goes on'
    fi
    sleep "$follow_pause"
    # A scrub of many disks takes days: no need to check every second.
    [ "$PROGRESS" -lt 1 ] || [ "$follow_pause" -ge 5 ] || follow_pause=$((follow_pause + 1))
  done
  case $SCAN in
    *'scrub repaired'*) step 100 "$(printf '%s\n' "$SCAN" | sed -n 's/^ *scan: \(scrub repaired .* errors\).*/\1/p' | head -n 1)" ;;
    *'scrub canceled'*) fail CANCELLED 'The scrub was stopped' ;;
    *) fail CONFLICT 'The scrub has ended, and zpool does not say how' ;;
  esac
}

run() {
  pool_name
  checkpoint scrub-started
  look || fail UNAVAILABLE 'zpool does not say how the pool is'
  printf '%s\n' "$SCAN" | put "$TASK/begun" 640 || fail_full E1000 'The task cannot be written down'
  checkpoint scrub-begun
  zpool_do scrub "$NAME"
  done_in_part
  checkpoint scrub-running
  follow
}

recover() {
  was_cut_short || return 0
  pool_name
  look || return 0
  case $SCAN in
    *'scrub in progress'* | *'scrub paused'*)
      if [ "$ACTION" = recover ]; then follow_on follow; fi
      zpool_look scrub -s "$NAME" || echo 'the scrub goes on'
      ;;
    *'scrub repaired'*) [ "$SCAN" = "$(cat "$TASK/begun")" ] || END_STATE=completed ;;
  esac
}

main "$@"
