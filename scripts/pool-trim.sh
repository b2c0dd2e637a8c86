#!/bin/sh
# Trims the disks of a pool: `pool-trim.sh run TASKDIR LOCK POOL`. The work is in vdev.sh.
# shellcheck disable=SC2034
LOCK=${3:-} VERB=trim
# shellcheck source=vdev.sh
. "$(dirname -- "$0")/vdev.sh"
main "$@"
