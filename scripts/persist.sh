#!/bin/sh
# Saves the state of an image that runs from memory: `persist.sh run TASKDIR`. For changes that the server makes itself
# (the token, a license in our own format); every other script calls `persist` at its end. There is nothing to undo: the
# change stays in effect.
LOCK=persist
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"

run() {
  checkpoint persist-started
  persist || fail E1000 'The state could not be made persistent'
}

main "$@"
