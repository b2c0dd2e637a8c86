#!/bin/sh
# Clears the errors of a pool or of one of its disks: `pool-clear.sh run TASKDIR LOCK POOL`. The work is in vdev.sh.
# shellcheck disable=SC2034
LOCK=${3:-} VERB=clear
# shellcheck source=vdev.sh
. "$(dirname -- "$0")/vdev.sh"
main "$@"
