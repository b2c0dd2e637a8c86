#!/bin/sh
# Lets the vendor's license.sh decide about a new licence: `license.sh run TASKDIR`. A newcomer's trap: that script reads etc/license.asc and
# nothing else, so the candidate is put there first, and the old one comes back unless it says yes.
LOCK=license
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"

SECONDS_ALLOWED=30
MOST_BYTES=1048576

refuse() {
  log_line update_license.log 'Invalid or missing license file'
  : >"$TASK/refused"
  fail E1000 'Invalid or missing license file'
}

decide() {
  { [ -f "$EDGE_ROOT/bin/license.sh" ] && is_ours "$EDGE_ROOT/bin/license.sh"; } || return 1
  rm -f "$TASK/decided"
  (umask 077 && : >"$TASK/decision") || return 1
  # Read through a pipe, by a reader with a limit and an end: the script may print for ever, or leave something behind that holds the pipe.
  {
    timeout -s KILL "$SECONDS_ALLOWED" "$EDGE_ROOT/bin/license.sh" </dev/null 9>&- && : >"$TASK/decided"
  } | timeout -s KILL "$((SECONDS_ALLOWED + 5))" cat 9>&- | head -c "$((MOST_BYTES + 1))" >"$TASK/decision"
  [ -f "$TASK/decided" ] && [ -s "$TASK/decision" ] && [ "$(wc -c <"$TASK/decision")" -le "$MOST_BYTES" ]
}

run() {
  log_line update_license.log 'Updating license. Please wait..'
  checkpoint license-started
  [ -s "$TASK/input/license.asc" ] || refuse
  { place 640 "$TASK/input/license.asc" "$EDGE_ROOT/etc/license.asc" && swap_in; } ||
    fail E1000 'The license could not be stored'
  checkpoint license-placed

  step 50 'the license is being checked'
  decide || refuse
  put "$TASK/output.json" 640 <"$TASK/decision" || fail E1000 'The license could not be stored'
  checkpoint license-decided

  swap_commit || fail E1000 'The license could not be stored'
}

recover() { swap_undo; }

on_end() {
  rm -f "$TASK/decision" "$TASK/decided"
  if [ "$1" = completed ]; then
    log_line update_license.log 'Updating license successful'
    persist || echo 'the state could not be made persistent'
    return
  fi
  rm -f "$TASK/output.json"
  [ -f "$TASK/refused" ] || log_line update_license.log 'Updating license failed'
}

main "$@"
