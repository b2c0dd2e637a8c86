#!/bin/sh
# Adds vdevs to a pool: `pool-add.sh run TASKDIR LOCK POOL`. The work is in vdev.sh.
# shellcheck disable=SC2034
LOCK=${3:-} VERB=add
# shellcheck source=vdev.sh
. "$(dirname -- "$0")/vdev.sh"
main "$@"
