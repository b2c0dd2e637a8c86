#!/bin/sh
# Lets the vendor's license.sh judge a new license: `license.sh run TASKDIR`. That script reads etc/license.asc and
# nothing else, so the candidate is put there first, and the old license comes back unless it says yes.
LOCK=license
NEEDS='node wc'
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=license-verdict.sh
. "$here/license-verdict.sh"

run() {
  log_line update_license.log 'Updating license. Please wait..'
  checkpoint license-started
  [ -s "$TASK/input/license.asc" ] || license_refuse 'Invalid or missing license file'
  { place 640 "$TASK/input/license.asc" "$EDGE_ROOT/etc/license.asc" && swap_in; } ||
    fail E1000 'The license could not be stored'
  checkpoint license-placed

  step 50 'the license is being checked'
  license_decide
}

recover() { swap_undo; }

on_end() {
  [ "$1" != completed ] || log_line update_license.log 'Updating license successful'
  license_end "$1"
}

main "$@"
