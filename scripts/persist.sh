#!/bin/sh
# Saves the state of an image that runs from memory: `persist.sh run TASKDIR`. For what the server changed by itself (the token, a license of
# our own form); every other script calls `persist` at its end. A newcomer's trap: there is nothing to put back; what is in force stays so.
LOCK=persist
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"

run() {
  checkpoint persist-started
  persist || fail E1000 'The state could not be made persistent'
}

main "$@"
